BeforeAll {
    . (Join-Path $PSScriptRoot 'NoModels.ps1')
    $root = Split-Path $PSScriptRoot
    Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
    $song = Join-Path $root 'samples' 'mix.wav'
    $tiny = Join-Path $root 'tests' 'fixtures' 'reference' 'models' 'htdemucs-tiny.onnx'

    # The first ten seconds of the song: two chunks.
    $bytes = [IO.File]::ReadAllBytes($song)
    $length = 44 + 441000 * 4
    $clip = [byte[]]$bytes[0..($length - 1)]
    [BitConverter]::GetBytes([uint32]($length - 8)).CopyTo($clip, 4)
    [BitConverter]::GetBytes([uint32]($length - 44)).CopyTo($clip, 40)

    function New-Track([string] $Name) {
        $path = Join-Path $TestDrive $Name
        $null = New-Item -ItemType Directory -Force (Split-Path $path)
        [IO.File]::WriteAllBytes($path, $clip)
        $path
    }
}

Describe 'Invoke-DemucsSeparation' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $here = (Get-Location).ProviderPath
        function Add-Track([string] $Name) { [IO.File]::WriteAllBytes((Join-Path $here $Name), $clip) }
    }

    AfterEach {
        Pop-Location
    }

    It 'separates files from the pipeline at the current location, which is not the process directory' {
        Add-Track 'one.wav'
        Add-Track 'two.wav'
        [Environment]::CurrentDirectory | Should -Not -Be $here
        $results = Get-ChildItem *.wav | Invoke-DemucsSeparation -Model $tiny
        $results | Should -HaveCount 2
        $results[0] | Should -BeOfType 'DemucsPS.Engine.Batch.SeparationResult'
        $results[0].SourcePath | Should -Be (Join-Path $here 'one.wav')
        $results[0].Model | Should -Be 'htdemucs-tiny'
        $results[0].IsDemucs | Should -BeTrue
        $results[0].Duration | Should -Be ([timespan]::FromSeconds(10))
        $results[0].Chunks | Should -Be 2
        $results[0].Elapsed | Should -BeGreaterThan ([timespan]::Zero)
        $results[0].RealTimeFactor | Should -Be ($results[0].Elapsed / $results[0].Duration)
        $results[0].Stems.StemName | Should -Be 'drums', 'bass', 'other', 'vocals'
        foreach ($stem in $results.Stems) {
            $stem.FilePath | Should -Exist
        }
        $results[1].Stems[3].FilePath | Should -Be (Join-Path $here 'separated' 'htdemucs-tiny' 'two' 'vocals.wav')
    }

    It 'shows the plan and writes nothing with -WhatIf' {
        Add-Track 'one.wav'
        Copy-Item $tiny model.onnx
        Set-Content broken.onnx 'no model'
        # All that a separation writes to is empty: the cache, the folder for temporary files, the models folder, the destination.
        $null = New-Item -ItemType Directory cache, temporary, models
        $before = (Get-ChildItem -Recurse -Force | Sort-Object FullName | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks)" }) -join "`n"
        $code = "`$env:DEMUCSPS_CACHE = '$here/cache'; `$env:DEMUCSPS_MODELS = '$here/models'; `$env:TMPDIR = `$env:TMP = `$env:TEMP = '$here/temporary'
            Import-Module '$root/output/DemucsPS'; Set-Location -LiteralPath '$here'
            Get-ChildItem *.wav | Invoke-DemucsSeparation -Model model.onnx -WhatIf -Verbose
            Invoke-DemucsSeparation one.wav -Model model.onnx -Precision Int8 -WhatIf
            try { Invoke-DemucsSeparation one.wav -Model broken.onnx -WhatIf } catch { `$_.FullyQualifiedErrorId }
            try { Invoke-DemucsSeparation one.wav -Model missing.onnx -WhatIf } catch { `$_.FullyQualifiedErrorId }
            'libraries: ' + @([Diagnostics.Process]::GetCurrentProcess().Modules.ModuleName -match 'onnxruntime').Count"
        $transcript = pwsh -NoProfile -NonInteractive -Command $code 4>&1
        "$transcript" | Should -Match 'What if: .*2 chunks, 10\.6 MB to write.*drums\.wav, bass\.wav, other\.wav, vocals\.wav'
        "$transcript" | Should -Match 'What if: .*2 chunks in Int8, 10\.6 MB to write'
        "$transcript" | Should -Match 'DemucsModelInvalid,.* DemucsModelNotFound,'
        # The runtime was not even opened.
        "$transcript" | Should -Match 'libraries: 0$'
        (Get-ChildItem -Recurse -Force | Sort-Object FullName | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks)" }) -join "`n" | Should -BeExactly $before
    }

    It 'says with -WhatIf what a run would refuse or skip, and how sure its numbers are' {
        Add-Track 'one.wav'
        $null = New-Item -ItemType Directory second
        Copy-Item -LiteralPath one.wav second
        Set-Content file 'no folder'
        ffmpeg -v error -i one.wav song.flac
        $null = Invoke-DemucsSeparation one.wav -Stem bass -WarningAction Ignore
        $code = "Import-Module '$root/output/DemucsPS'; Set-Location -LiteralPath '$here'; `$WarningPreference = 'Ignore'
            Invoke-DemucsSeparation one.wav -Stem bass -SkipExisting -WhatIf
            'Z' + (Invoke-DemucsSeparation one.wav -Stem bass -SkipExisting -Overlap 0.5 -WhatIf 2>&1) + 'Z'
            'Y' + (Invoke-DemucsSeparation one.wav, second/one.wav -DestinationPath out -WhatIf 2>&1) + 'Y'
            'X' + (Invoke-DemucsSeparation one.wav -DestinationPath file -WhatIf 2>&1) + 'X'
            try { Invoke-DemucsSeparation one.wav -DestinationPath out -ExecutionProvider DirectML -WhatIf } catch { 'W' + `$_.FullyQualifiedErrorId + 'W' }
            Invoke-DemucsSeparation song.flac -DestinationPath out -Format Flac -WhatIf"
        $transcript = "$(pwsh -NoProfile -NonInteractive -Command $code)"
        $transcript | Should -Match 'What if: .*"Skip \(already there, unchanged: bass\.wav in '
        $transcript | Should -Match 'Z.*bass\.wav.* already exists, and is out of date: overlap changed from 0\.05 to 0\.5\. .*Z'
        $transcript | Should -Match 'Y.*in the same batch.*Y'
        $transcript | Should -Match 'X.*is a file.*X'
        $transcript | Should -Match 'WExecutionProviderUnavailable,.*W'
        $transcript | Should -Match 'about 2 chunks, at most about 10\.6 MB to write'
        Test-Path out | Should -BeFalse
    }

    It 'takes the name <_>' -ForEach @('two words.wav', "it's.wav", 'take [1].wav', '100% $HOME `tick.wav', '夜に駆ける 🎵.wav', 'Ωμέγα.wav') {
        Add-Track $_
        $expected = Join-Path $here 'separated' 'baseline' ([IO.Path]::GetFileNameWithoutExtension($_)) 'bass.wav'
        (Get-ChildItem | Invoke-DemucsSeparation -Stem bass -WarningAction Ignore).Stems.FilePath | Should -Be $expected
        (Invoke-DemucsSeparation -LiteralPath $_ -Stem bass -Force -WarningAction Ignore).Stems.FilePath | Should -Be $expected
        ([IO.FileInfo]::new((Join-Path $here $_)) | Invoke-DemucsSeparation -Stem bass -Force -WarningAction Ignore).Stems.FilePath | Should -Be $expected
    }

    It 'says once that the built-in model is not Demucs, and in every result' {
        Add-Track 'one.wav'
        Add-Track 'two.wav'
        $results = Invoke-DemucsSeparation *.wav -Stem bass -WarningVariable warnings -WarningAction SilentlyContinue
        @($warnings -match 'not Demucs') | Should -HaveCount 1
        $results.IsDemucs | Should -Be $false, $false
        $results.Warnings -match 'not Demucs' | Should -HaveCount 2
        $results[0] | Out-String | Should -Match 'baseline \(not Demucs\)'
    }

    It 'is bit-identical with one and two chunks at once' {
        Add-Track 'one.wav'
        $a = Invoke-DemucsSeparation one.wav -Model $tiny -BitDepth 32 -DestinationPath a
        $b = Invoke-DemucsSeparation one.wav -Model $tiny -BitDepth 32 -DestinationPath b -ThrottleLimit 2
        (Get-FileHash $b.Stems.FilePath).Hash | Should -Be (Get-FileHash $a.Stems.FilePath).Hash
    }

    It 'says the plan and how long a chunk takes, when asked' {
        Add-Track 'one.wav'
        $text = Invoke-DemucsSeparation one.wav -ThrottleLimit 2 -Verbose 4>&1 -WarningAction Ignore | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | ForEach-Object { "$_" }
        @($text -match 'one\.wav: \d+ chunks?, [\d.]+ MB to write: .*; jobs 2, threads \d+(, one thread per job)?\.$') | Should -HaveCount 1
        @($text -match '^one\.wav: \d+\.\d\d s per chunk\.$') | Should -HaveCount 1
    }

    It 'takes a bag of models with weights' {
        Add-Track 'one.wav'
        $second = Join-Path (Split-Path $tiny) 'htdemucs-tiny-b.onnx'
        $bag = Invoke-DemucsSeparation one.wav -Model $tiny, $second -Weight (1, 0, 1, 0.25), (0, 1, 0, 0.75) -Stem bass -BitDepth 32
        $bag.Model | Should -Be 'htdemucs-tiny+htdemucs-tiny-b'
        $alone = Invoke-DemucsSeparation one.wav -Model $second -Stem bass -BitDepth 32
        (Get-FileHash $bag.Stems.FilePath).Hash | Should -Be (Get-FileHash $alone.Stems.FilePath).Hash
    }

    It 'prepares a model unless -NoPreparation is given' {
        Add-Track 'one.wav'
        Copy-Item $tiny model.onnx
        $cache = $env:DEMUCSPS_CACHE
        $env:DEMUCSPS_CACHE = Join-Path $here 'cache'
        try {
            $plain = Invoke-DemucsSeparation one.wav -Model model.onnx -Stem bass -NoPreparation
            Test-Path cache | Should -BeFalse
            $hash = (Get-FileHash $plain.Stems.FilePath).Hash
            $prepared = Invoke-DemucsSeparation one.wav -Model model.onnx -Stem bass -Force
            (Get-ChildItem cache).Name | Should -Match '^model\.[0-9a-f]{16}\.[0-9a-f]{16}\.v\d+\.prepared\.onnx$'
            $prepared.Model | Should -Be 'model'
            (Get-FileHash $prepared.Stems.FilePath).Hash | Should -Not -Be $hash
            Get-ChildItem *.onnx | Should -HaveCount 1

            $copy = Get-DemucsModel -Cache
            $copy | Should -BeOfType 'DemucsPS.Engine.Models.CachedCopy'
            $copy.Model, $copy.Precision, $copy.Path, $copy.IsCurrent | Should -Be 'model', 'Full', (Get-ChildItem cache).FullName, $true
            $copy | Out-String | Should -Match '(?m)^model +Full +Cpu +\d+ '
            # A copy is no model, whatever its model is called.
            $copy | Remove-DemucsModel -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem.FullyQualifiedErrorId | Should -Be 'ParameterInvalid,DemucsPS.Cmdlets.RemoveDemucsModelCommand'
            Remove-DemucsModel -Cache -WhatIf
            Get-ChildItem cache | Should -HaveCount 1
            Remove-DemucsModel -Cache
            Get-ChildItem cache | Should -BeNullOrEmpty
        }
        finally {
            $env:DEMUCSPS_CACHE = $cache
        }
    }

    It 'computes in another precision, and says so' {
        Add-Track 'one.wav'
        Copy-Item $tiny model.onnx
        $full = Invoke-DemucsSeparation one.wav -Model model.onnx -Stem bass
        $full.Precision | Should -Be 'Full'
        $hash = (Get-FileHash $full.Stems.FilePath).Hash
        $result, $text = (Invoke-DemucsSeparation one.wav -Model model.onnx -Stem bass -Precision Int8 -Force -Verbose 4>&1).Where({ $_ -is [DemucsPS.Engine.Batch.SeparationResult] }, 'Split')
        $result.Precision | Should -Be 'Int8'
        "$text" | Should -Match 'in Int8, '
        "$text" | Should -Match 'precision Int8; execution provider Cpu'
        (Get-FileHash $result.Stems.FilePath).Hash | Should -Not -Be $hash
        Get-ChildItem *.prepared.onnx | Should -BeNullOrEmpty
        (TabExpansion2 'Invoke-DemucsSeparation -Precision i').CompletionMatches.CompletionText | Should -Be 'Int8'
    }

    It 'refuses a precision with <Arguments>' -ForEach @(
        @{ Arguments = @{ Model = 'baseline' } }
        @{ Arguments = @{ Model = 'model.onnx'; NoPreparation = $true } }
        @{ Arguments = @{ Model = 'model.onnx'; ExecutionProvider = 'Cuda' } }
    ) {
        Add-Track 'one.wav'
        Copy-Item $tiny model.onnx
        { Invoke-DemucsSeparation one.wav @Arguments -Precision Int8 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        Test-Path separated | Should -BeFalse
        Get-ChildItem *.prepared.onnx | Should -BeNullOrEmpty
    }

    It 'refuses batches of a model that takes one chunk at a time, by the name of the parameter' {
        Add-Track 'one.wav'
        $problem = { Invoke-DemucsSeparation one.wav -Model baseline -BatchSize 2 } | Should -Throw -PassThru -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        "$problem" | Should -BeLike '*The parameter is -BatchSize.'
        $problem = { Invoke-DemucsSeparation one.wav -Model missing.onnx -BatchSize 65 } | Should -Throw -PassThru
        "$problem" | Should -Be '65 is not a batch size. It must be from 1 to 64. The parameter is -BatchSize.'
        Test-Path separated | Should -BeFalse
    }

    It 'names stems as it is told, and says what ran the model' {
        Add-Track 'one.wav'
        $result = Invoke-DemucsSeparation one.wav -StemName a, b, c, d -Stem c, a -WarningAction Ignore
        $result.Stems.StemName | Should -Be 'c', 'a'
        (Get-ChildItem separated/baseline/one).Name | Sort-Object | Should -Be 'a.wav', 'c.wav', 'demucsps.json'
        $result.ExecutionProvider | Should -Be 'Cpu'
    }

    It 'refuses an execution provider that cannot be had' {
        # No library has both.
        $foreign = $IsMacOS ? 'DirectML' : 'CoreML'
        Add-Track 'one.wav'
        $problem = { Invoke-DemucsSeparation one.wav -ExecutionProvider $foreign } | Should -Throw -PassThru -ErrorId 'ExecutionProviderUnavailable,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        $problem.TargetObject | Should -Be $foreign
        $problem.CategoryInfo.Category | Should -Be 'NotInstalled'
        "$problem" | Should -Match 'CPUExecutionProvider.*\$DEMUCSPS_ONNXRUNTIME'
        Test-Path separated | Should -BeFalse
    }

    It 'gives two stems' {
        Add-Track 'one.wav'
        (Invoke-DemucsSeparation one.wav -TwoStems vocals -WarningAction Ignore).Stems.StemName | Should -Be 'vocals', 'no_vocals'
    }

    It 'makes <Names> of <Arguments>' -ForEach @(
        @{ Names = 'vocals, no_vocals'; Arguments = @{ TwoStems = 'vocals'; TwoStemsMethod = 'Minus' } }
        @{ Names = 'bass, residual'; Arguments = @{ Stem = 'bass'; Residual = $true } }
        @{ Names = 'mixdown'; Arguments = @{ Mixdown = 'vocals=-inf,drums=-6.5' } }
        @{ Names = 'mixdown'; Arguments = @{ Mixdown = 'vocals=-inf', 'drums=-6.5' } }
        @{ Names = 'mixdown'; Arguments = @{ Mixdown = @{ vocals = [double]::NegativeInfinity; drums = -6.5 } } }
        @{ Names = 'mixdown'; Arguments = @{ Mixdown = @{ vocals = '-inf'; drums = '-6.5' } } }
    ) {
        Add-Track 'one.wav'
        $result = Invoke-DemucsSeparation one.wav -BitDepth 32 -WarningAction Ignore @Arguments
        $result.Stems.StemName -join ', ' | Should -Be $Names
        if ($Arguments.Mixdown) {
            $same = Invoke-DemucsSeparation one.wav -BitDepth 32 -Mixdown 'vocals=-inf,drums=-6.5' -DestinationPath other -WarningAction Ignore
            (Get-FileHash $result.Stems.FilePath).Hash | Should -Be (Get-FileHash $same.Stems.FilePath).Hash
        }
    }

    It 'names files by a template, which -WhatIf shows' {
        Add-Track 'one.wav'
        $arguments = @{ FileNameTemplate = '{artist}/{stem}/{track:00} {title}'; Stem = 'bass', 'drums'; WarningAction = 'Ignore' }
        $expected = 'bass', 'drums' | ForEach-Object { Join-Path $here separated 'Unknown Artist' $_ '00 one.wav' }
        $transcript = pwsh -NoProfile -NonInteractive -Command "Import-Module '$root/output/DemucsPS'; Set-Location -LiteralPath '$here'; Invoke-DemucsSeparation one.wav -Stem bass, drums -FileNameTemplate '$($arguments.FileNameTemplate)' -WhatIf"
        foreach ($file in $expected) {
            "$transcript" | Should -Match ([regex]::Escape("00 one.wav in '$(Split-Path $file)'"))
        }
        Test-Path separated | Should -BeFalse
        (Invoke-DemucsSeparation one.wav @arguments).Stems.FilePath | Should -Be $expected
    }

    It 'does not let two tracks of a command go to one file' {
        Add-Track 'one.wav'
        Add-Track 'two.wav'
        $results = Invoke-DemucsSeparation *.wav -Stem bass -FileNameTemplate '{artist} ({stem})' -Force -ErrorVariable problem -ErrorAction SilentlyContinue -WarningAction Ignore
        $results.Stems.FilePath | Should -Be (Join-Path $here separated 'Unknown Artist (bass).wav')
        $problem.FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        $problem.TargetObject | Should -Be (Join-Path $here 'two.wav')
    }

    It 'completes fields of a template' {
        $line = "Invoke-DemucsSeparation one.wav -FileNameTemplate '{artist}/{t"
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be "'{artist}/{title}'", "'{artist}/{track}'"
        $line = 'Export-Stem -FileNameTemplate '
        (TabExpansion2 $line $line.Length).CompletionMatches.ListItemText | Should -Contain 'albumartist'
    }

    It 'gives results that make a readable table of values' {
        Add-Track 'one.wav'
        $result = Invoke-DemucsSeparation one.wav -TwoStems bass -WarningAction Ignore
        $row = $result | ConvertTo-Csv | ConvertFrom-Csv
        $row.Stems | Should -Be ($result.Stems.FilePath -join '; ')
        $row.Warnings | Should -Match 'not Demucs'
        $row.Duration | Should -Be '00:00:10'
        $row.PSObject.Properties.Value | Where-Object { $_ -cmatch 'System\.|DemucsPS\.' } | Should -BeNullOrEmpty
        $result.Stems[1].StemName | Should -Be 'no_bass'
        @($result.Stems) | Should -HaveCount 2
    }

    It 'sums up a batch with -Verbose' {
        Add-Track 'one.wav'
        $said = Invoke-DemucsSeparation one.wav, missing.wav -Stem bass -Verbose -ErrorAction SilentlyContinue -WarningAction Ignore 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
        "$($said[-1])" | Should -Match '^1 of 2 tracks separated, 1 failed: 1 file, 0:00:10 of music in 0:\d\d:\d\d\.$'
    }

    It 'goes on after a bad file, with an error record that names it' {
        Add-Track 'good.wav'
        [IO.File]::WriteAllBytes((Join-Path $here 'bad.wav'), [byte[]]@())
        $results = 'bad.wav', 'missing.wav', 'good.wav' | Invoke-DemucsSeparation -Stem bass -ErrorVariable problems -ErrorAction SilentlyContinue -WarningAction Ignore
        $results.SourcePath | Should -Be (Join-Path $here 'good.wav')
        $problems | Should -HaveCount 2
        $problems[0].FullyQualifiedErrorId | Should -Be 'AudioTrackCorrupt,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        $problems[0].TargetObject | Should -Be 'bad.wav'
        $problems[0].CategoryInfo.Category | Should -Be 'InvalidData'
        "$($problems[0])" | Should -Match ([regex]::Escape((Join-Path $here 'bad.wav')))
        $problems[1].FullyQualifiedErrorId | Should -Be 'AudioTrackNotFound,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        $problems[1].TargetObject | Should -Be 'missing.wav'
    }

    It 'keeps existing stems without -Force' {
        Add-Track 'one.wav'
        $stem = New-Item -Force (Join-Path 'separated' 'baseline' 'one' 'bass.wav') -Value 'mine'
        Invoke-DemucsSeparation one.wav -ErrorVariable problem -ErrorAction SilentlyContinue -WarningAction Ignore | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        "$problem" | Should -Match 'already exists\. Choose another destination\. Use -Force to replace it\. Use -SkipExisting .* -Resume'
        Get-Content $stem | Should -Be 'mine'
        Get-ChildItem $stem.Directory | Should -HaveCount 1
        Invoke-DemucsSeparation one.wav -Force -WarningAction Ignore | Should -Not -BeNullOrEmpty
    }

    It 'names the parameter that is out of range: <name>' -ForEach @(
        @{ name = 'ThrottleLimit'; arguments = @{ ThrottleLimit = -1 } }
        @{ name = 'Shifts'; arguments = @{ Shifts = -1 } }
        @{ name = 'RetryCount'; arguments = @{ RetryCount = 101 } }
        @{ name = 'Overlap'; arguments = @{ Overlap = 2 } }
        @{ name = 'SampleRate'; arguments = @{ SampleRate = '1' } }
        @{ name = 'StreamIndex'; arguments = @{ StreamIndex = -1 } }
    ) {
        $told = try { Invoke-DemucsSeparation missing.wav @arguments } catch { "$_" }
        $told | Should -Match " The parameter is -$name\.$"
    }

    It 'ends at once with <id> for <why>' -ForEach @(
        @{ why = 'a model that is not there'; id = 'DemucsModelNotFound'; arguments = @{ Model = 'missing.onnx' } }
        @{ why = 'a name that is no model'; id = 'DemucsModelNotFound'; arguments = @{ Model = 'htdemucs' } }
        @{ why = 'a model that is no model'; id = 'DemucsModelInvalid'; arguments = @{ Model = 'one.wav' } }
        @{ why = 'an overlap of 1'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Overlap = 1 } }
        @{ why = 'a negative overlap'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Overlap = -0.1 } }
        @{ why = 'an overlap of nearly 1'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Overlap = 0.9999999 } }
        @{ why = 'a decimal comma in quotes'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Overlap = '0,25' } }
        @{ why = 'fewer than no shifts'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Shifts = -1 } }
        @{ why = 'too many retries'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; RetryCount = 101 } }
        @{ why = 'a stream before the first'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; StreamIndex = -1 } }
        @{ why = 'a rate that is none'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; SampleRate = 'fast' } }
        @{ why = 'less than no jobs'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; ThrottleLimit = -1 } }
        @{ why = 'an unknown stem'; id = 'ParameterInvalid'; arguments = @{ Stem = 'kazoo' } }
        @{ why = 'weights that do not fit'; id = 'ParameterInvalid'; arguments = @{ Weight = , (1, 2) } }
        @{ why = 'too many stem names'; id = 'ParameterInvalid'; arguments = @{ StemName = 'a', 'b', 'c', 'd', 'e' } }
        @{ why = 'two selections'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Stem = 'bass'; TwoStems = 'bass' } }
        @{ why = 'a format that has no such depth'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Format = 'Flac'; BitDepth = 32 } }
        @{ why = 'a depth for a format with losses'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Format = 'Mp3'; BitDepth = 24 } }
        @{ why = 'a bit rate of nothing'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Format = 'Aac'; BitRate = 0 } }
        @{ why = 'a field that is none'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; FileNameTemplate = '{kazoo}' } }
        @{ why = 'a way out of the destination'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; FileNameTemplate = '../{stem}' } }
        @{ why = 'stems of a stem file'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; Format = 'StemMp4'; Stem = 'bass' } }
        @{ why = 'a mixdown of no such stem'; id = 'ParameterInvalid'; arguments = @{ Mixdown = 'kazoo=1' } }
        @{ why = 'gains that are none'; id = 'ParameterArgumentTransformationError'; arguments = @{ Mixdown = 'vocals=loud' } }
    ) {
        Add-Track 'one.wav'
        { Invoke-DemucsSeparation one.wav @arguments } | Should -Throw -ErrorId "$id,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand"
        Test-Path separated | Should -BeFalse
    }

    It 'gives stems the rate, the length and the channel of their source' {
        $samples = [byte[]]::new(2 * 48001)
        [Random]::new(3).NextBytes($samples)
        $header = [byte[]]$clip[0..43]
        [BitConverter]::GetBytes([uint32](36 + $samples.Length)).CopyTo($header, 4)
        [BitConverter]::GetBytes([uint16]1).CopyTo($header, 22)
        [BitConverter]::GetBytes([uint32]48000).CopyTo($header, 24)
        [BitConverter]::GetBytes([uint32]96000).CopyTo($header, 28)
        [BitConverter]::GetBytes([uint16]2).CopyTo($header, 32)
        [BitConverter]::GetBytes([uint32]$samples.Length).CopyTo($header, 40)
        [IO.File]::WriteAllBytes((Join-Path $here 'voice.wav'), $header + $samples)
        $result = Invoke-DemucsSeparation voice.wav -SampleRate Source -KeepMono -Stem bass -WarningAction Ignore
        $result.SampleRate, $result.Frames | Should -Be 48000, 48001
        $stem = Import-AudioTrack $result.Stems[0].FilePath
        $stem.SourceSampleRate, $stem.SourceChannels, $stem.SourceFrames | Should -Be 48000, 1, 48001
        $chain = Import-AudioTrack voice.wav | Split-AudioChunk | Invoke-DemucsChunk -WarningAction Ignore | Where-Object StemName -EQ bass | Join-StemChunk | Export-Stem -DestinationPath chain -SampleRate Source -KeepMono -PassThru
        (Get-FileHash $chain).Hash | Should -Be (Get-FileHash $result.Stems[0].FilePath).Hash
        { Invoke-DemucsSeparation voice.wav -SampleRate fast } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
    }

    It 'takes folders, playlists and CUE sheets, each track once' {
        $null = New-Item -ItemType Directory album, album/deep
        Move-Item (New-Track 'one.wav') album/one.wav
        Move-Item (New-Track 'two.wav') album/deep/two.wav
        Set-Content list.m3u8 "album/one.wav`nhttp://example.org/three.wav`n"
        Set-Content album/one.cue "PERFORMER `"Someone`"`nFILE `"one.wav`" WAVE`nTRACK 01 AUDIO`nTITLE `"Intro`"`nINDEX 01 00:00:00`nTRACK 02 AUDIO`nINDEX 01 00:04:00`n"
        $options = @{ Stem = 'bass'; WarningAction = 'Ignore'; DestinationPath = 'album/stems' }
        $results = Invoke-DemucsSeparation list.m3u8, album -Recurse @options -ErrorVariable problems -ErrorAction SilentlyContinue -Verbose 4>&1
        $said = @($results | Where-Object { $_ -is [Management.Automation.VerboseRecord] })
        ($results | Where-Object { $_ -isnot [Management.Automation.VerboseRecord] }).Track | Should -Be 'one', 'two'
        $problems.FullyQualifiedErrorId | Should -Be 'TrackListInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        "$problems" | Should -Match "'http://example.org/three.wav'"
        "$said" | Should -Match 'one is already on the list'
        "$said" | Should -Match 'it is the folder for stems'
        $tracks = Invoke-DemucsSeparation album -Include *.cue @options
        $tracks.Track | Should -Be '01 Intro', '02'
        $tracks.Duration.TotalSeconds | Should -Be 4, 6
        $tracks[0].Stems.FilePath | Should -Be (Join-Path $here 'album' 'stems' 'baseline' '01 Intro' 'bass.wav')
        $tracks | Out-String | Should -Match '01 Intro'
    }

    It 'refuses other providers' {
        Invoke-DemucsSeparation Env:PATH -ErrorVariable problem -ErrorAction SilentlyContinue -WarningAction Ignore
        $problem.FullyQualifiedErrorId | Should -Be 'AudioTrackNotFound,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
    }

    It 'stops for Select-Object -First and leaves whole files only' {
        Add-Track 'a.wav'
        Add-Track 'b.wav'
        (Get-ChildItem *.wav | Invoke-DemucsSeparation -Stem bass -WarningAction Ignore | Select-Object -First 1).SourcePath | Should -Be (Join-Path $here 'a.wav')
        (Get-ChildItem -Recurse -File separated).Name | Should -Be 'bass.wav', 'demucsps.json'
    }

    It 'stops within a chunk, leaves no stem, and goes on from there with -Resume' {
        # Twenty copies of the clip: more than a minute of chunks.
        $long = [Collections.Generic.List[byte]]::new()
        $long.AddRange([byte[]]$clip[0..43])
        $data = [byte[]]$clip[44..($clip.Length - 1)]
        1..20 | ForEach-Object { $long.AddRange($data) }
        $bytes = $long.ToArray()
        [BitConverter]::GetBytes([uint32]($bytes.Length - 8)).CopyTo($bytes, 4)
        [BitConverter]::GetBytes([uint32]($bytes.Length - 44)).CopyTo($bytes, 40)
        [IO.File]::WriteAllBytes((Join-Path $here 'long.wav'), $bytes)

        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$root/output/DemucsPS'; Invoke-DemucsSeparation -LiteralPath '$here/long.wav' -Model '$tiny' -DestinationPath '$here/out'")
        $running = $shell.BeginInvoke()
        $journal = "$here/out/htdemucs-tiny/long/demucsps.partial/journal.json"
        $until = [DateTime]::UtcNow.AddSeconds(60)
        while (-not ((Test-Path $journal) -and ([IO.File]::ReadAllText($journal) -match '"durableFrames": [1-9]')) -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
        $running.IsCompleted | Should -BeFalse
        $shell.Stop()
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        Get-ChildItem -Recurse -File out -Include *.wav, demucsps.json | Should -BeNullOrEmpty
        $shell.Dispose()
        Invoke-DemucsSeparation long.wav -Model $tiny -DestinationPath out -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -Be 'SeparationUnfinished,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        Invoke-DemucsSeparation long.wav -Model $tiny -DestinationPath out -Overlap 0.25 -Resume -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -Be 'ResumeMismatch,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        "$problem" | Should -Match 'overlap changed from 0\.05 to 0\.25'
        $result = Invoke-DemucsSeparation long.wav -Model $tiny -DestinationPath out -Resume
        $result.Resumed | Should -BeTrue
        (Get-ChildItem -Recurse -Force out/htdemucs-tiny/long).Name | Should -Be 'bass.wav', 'demucsps.json', 'drums.wav', 'other.wav', 'vocals.wav'
    }

    It 'works in runspaces side by side and after being imported again' {
        Add-Track 'a.wav'
        Add-Track 'b.wav'
        $results = 'a.wav', 'b.wav' | ForEach-Object -Parallel {
            Import-Module "$using:root/output/DemucsPS" -Force
            Set-Location -LiteralPath $using:here
            Invoke-DemucsSeparation $_ -Stem bass -WarningAction Ignore
        }
        $results | Should -HaveCount 2
        Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
        Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
        Invoke-DemucsSeparation a.wav -Stem bass -Force -WarningAction Ignore | Should -Not -BeNullOrEmpty
    }

    It 'completes stems and models' {
        (TabExpansion2 'Invoke-DemucsSeparation -Stem v').CompletionMatches.CompletionText | Should -Be 'vocals'
        (TabExpansion2 'Invoke-DemucsSeparation -Model ba').CompletionMatches.CompletionText | Should -Be 'baseline'
        (TabExpansion2 'Invoke-DemucsSeparation -Clip cl').CompletionMatches.CompletionText | Should -Be 'Clamp'
        (TabExpansion2 'Invoke-DemucsSeparation -ExecutionProvider c').CompletionMatches.CompletionText | Should -Be 'CoreML', 'Cpu', 'Cuda'
        $null = New-Item model.ort, model.onnx, model.txt
        $null = New-Item model.0123456789abcdef.prepared.onnx
        (TabExpansion2 'Invoke-DemucsSeparation -Model ./model').CompletionMatches.ListItemText | Should -Be 'model.onnx', 'model.ort'
        # Folders only where there are models in them or below.
        $null = New-Item -ItemType Directory 'm [1]', m2/below/more, m3, m4/songs, m5
        $null = New-Item 'm [1]/x.onnx', m2/below/more/x.ort, m4/songs/x.wav, m5/x.onnx.data
        (TabExpansion2 'Invoke-DemucsSeparation -Model ./m').CompletionMatches.ListItemText | Should -Be 'm [1]', 'm2', 'model.onnx', 'model.ort'
        (TabExpansion2 'Invoke-DemucsChunk -Model ./m2/').CompletionMatches.ListItemText | Should -Be 'below'
    }

    It 'shows progress below the track and completes it' {
        Add-Track 'one.wav'
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$root/output/DemucsPS'; Invoke-DemucsSeparation -LiteralPath '$here/one.wav' -Model '$tiny' -DestinationPath '$here/out'")
        $null = $shell.Invoke()
        $records = $shell.Streams.Progress
        @($records | Where-Object { $_.ActivityId -eq 1 -and $_.StatusDescription -eq 'track 1: one.wav' }) | Should -Not -BeNullOrEmpty
        @($records | Where-Object { $_.ParentActivityId -eq 1 -and $_.StatusDescription -eq 'chunk 2 of 2' -and $_.PercentComplete -eq 100 }) | Should -HaveCount 1
        @($records | Where-Object RecordType -eq 'Completed').ActivityId | Should -Be 2, 1
        $shell.Dispose()
    }
}
