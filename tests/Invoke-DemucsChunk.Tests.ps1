BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    $track = New-NoiseTrack 40000 1
    $chunks = $track | Split-AudioChunk -Length $segment
}

Describe 'Invoke-DemucsChunk' {
    It 'gives the stems of each chunk in the order of the input, with <_> at once' -ForEach 1, 2, 5 {
        $stems = $chunks | Invoke-DemucsChunk -Model $small -ThrottleLimit $_
        $stems | Should -HaveCount 24
        $stems | Should -BeOfType 'DemucsPS.Engine.Tracks.StemChunk'
        $stems.Chunk.Index | Should -Be (0..5 | ForEach-Object { $_, $_, $_, $_ })
        $stems.StemName[0..3] | Should -Be 'drums', 'bass', 'other', 'vocals'
        $stems[0].ModelName, $stems[0].IsDemucs, $stems[0].Attempt | Should -Be 'small', $true, 1
        $stems[0].Elapsed | Should -BeGreaterThan ([timespan]::Zero)
        $stems[1].Peak | Should -BeGreaterThan (1.9 * $stems[0].Peak)
        $stems[0].Samples(0).Length | Should -Be $segment
        [Math]::Abs($stems[0].GetSample(1, 5) - $chunks[0].GetSample(1, 5)) | Should -BeLessThan 1e-5
        $stems[4] | Out-String | Should -Match 'noise\s+1\s+0:00:00\.1\s+drums\s+small\s+-0\.0\s+-4\.8\s+\d\.\d\d s\s+1'
    }

    It 'gives some stems' {
        ($chunks[0] | Invoke-DemucsChunk -Model $small -Stem VOCALS, drums).StemName | Should -Be 'vocals', 'drums'
    }

    It 'takes spectrograms, edited ones and both' {
        $spectrogram = $chunks[1] | ConvertTo-ChunkSpectrogram
        $stems = $chunks[1], $spectrogram, $spectrogram.WithGain(0, 22050, -20) | Invoke-DemucsChunk -Model $small -Stem drums
        $stems | Should -HaveCount 3
        $stems[1].Rms | Should -Be $stems[0].Rms
        # A round trip leaves the segment's edges out, so they do not change; that is why it is not quite a tenth.
        $stems[2].Rms | Should -BeLessThan (0.5 * $stems[0].Rms)
        (Invoke-DemucsChunk -Spectrogram $spectrogram -Model $small -Stem drums).Peak | Should -Be $stems[0].Peak
    }

    It 'shows what each branch does' {
        $stem = Import-AudioTrack $song | Split-AudioChunk | Select-Object -Last 1 | Invoke-DemucsChunk -Model $tiny -Stem vocals
        $i = 100000
        $both = $stem.TimeBranch(0).ToArray()[$i], $stem.FrequencyBranch(0).ToArray()[$i]
        $both | Should -Not -Contain 0
        [Math]::Abs($both[0] + $both[1] - $stem.GetSample(0, $i)) | Should -BeLessThan 1e-6
    }

    It 'names stems as it is told' {
        $stems = $chunks[0] | Invoke-DemucsChunk -Model $small -StemName a, b, c, d -Stem d, A
        $stems.StemName | Should -Be 'd', 'a'
        $stems[0].Rms | Should -BeGreaterThan (3.9 * $stems[1].Rms)
    }

    It 'says what ran the model' {
        ($chunks[0] | Invoke-DemucsChunk -Model $small -Stem bass).ExecutionProvider | Should -Be 'Cpu'
        $stem, $text = ($chunks[0] | Invoke-DemucsChunk -Model $small -Stem bass -ExecutionProvider Auto -Verbose 4>&1).Where({ $_ -is [DemucsPS.Engine.Tracks.StemChunk] }, 'Split')
        "$text" | Should -Match "Execution provider $($stem.ExecutionProvider) is used"
        "$text" | Should -Match "execution provider $($stem.ExecutionProvider) of ONNX Runtime"
    }

    It 'refuses a precision that the model has not, and says which was used' {
        ($chunks[0] | Invoke-DemucsChunk -Model $small -Stem bass).Precision | Should -Be 'Full'
        { $chunks[0] | Invoke-DemucsChunk -Model $small -Stem bass -Precision Int8 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsChunkCommand'
    }

    It 'says once that the built-in model is not Demucs' {
        $stems = Import-AudioTrack $song | Split-AudioChunk | Invoke-DemucsChunk -Stem bass -WarningVariable warnings -WarningAction SilentlyContinue
        $stems.IsDemucs | Should -Be $false, $false, $false
        @($warnings -match 'not Demucs') | Should -HaveCount 1
        $stems[0] | Out-String | Should -Match 'baseline \(not Demucs\)'
    }

    It 'goes on after a chunk of another length' {
        $other = $track | Split-AudioChunk -Length 10000 | Select-Object -First 1
        $stems = $chunks[0], $other, $chunks[1] | Invoke-DemucsChunk -Model $small -Stem bass -ErrorVariable problem -ErrorAction SilentlyContinue
        $stems.Chunk.Index | Should -Be 0, 1
        $problem.FullyQualifiedErrorId | Should -Be 'ChunkLengthMismatch,DemucsPS.Cmdlets.InvokeDemucsChunkCommand'
        $problem[0].TargetObject | Should -Be $other
        "$problem" | Should -Match '10000 frames.*8192'
        $before = Get-NativeObjectCount
        { $chunks[0], $other | Invoke-DemucsChunk -Model $small -ErrorAction Stop } | Should -Throw -ErrorId 'ChunkLengthMismatch,DemucsPS.Cmdlets.InvokeDemucsChunkCommand'
        Get-NativeObjectCount | Should -Be $before
    }

    It 'ends at once with <id> for <why>' -ForEach @(
        @{ why = 'a model that is not there'; id = 'DemucsModelNotFound'; arguments = @{ Model = 'missing.onnx' } }
        @{ why = 'an unknown stem'; id = 'ParameterInvalid'; arguments = @{ Stem = 'kazoo' } }
        @{ why = 'less than no jobs'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; ThrottleLimit = -1 } }
        @{ why = 'fewer than no retries'; id = 'ParameterInvalid'; arguments = @{ Model = 'missing.onnx'; RetryCount = -1 } }
        @{ why = 'weights that do not fit'; id = 'ParameterInvalid'; arguments = @{ Weight = , (1, 2) } }
        @{ why = 'too few stem names'; id = 'ParameterInvalid'; arguments = @{ StemName = 'one', 'two' } }
    ) {
        $before = Get-NativeObjectCount
        { $chunks | Invoke-DemucsChunk @arguments } | Should -Throw -ErrorId "$id,DemucsPS.Cmdlets.InvokeDemucsChunkCommand"
        Get-NativeObjectCount | Should -Be $before
    }

    It 'refuses what is no chunk' {
        'x' | Invoke-DemucsChunk -Model $small -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'InputObjectNotBound,DemucsPS.Cmdlets.InvokeDemucsChunkCommand'
    }

    It 'releases the model however the pipeline ends' {
        $null = $chunks | Invoke-DemucsChunk -Model $small
        $before = Get-NativeObjectCount
        $null = $chunks | Invoke-DemucsChunk -Model $small -ThrottleLimit 2
        Get-NativeObjectCount | Should -Be $before
        ($chunks | Invoke-DemucsChunk -Model $small -ThrottleLimit 3 | Select-Object -First 1).Chunk.Index | Should -Be 0
        Get-NativeObjectCount | Should -Be $before
        { $chunks | Invoke-DemucsChunk -Model $small -ThrottleLimit 3 | ForEach-Object { throw 'downstream' } } | Should -Throw 'downstream'
        Get-NativeObjectCount | Should -Be $before
        $chunks | Invoke-DemucsChunk -Model $small -OutVariable kept | Tee-Object -Variable teed | Out-Null
        $kept | Should -HaveCount 24
        $teed | Should -HaveCount 24
        Get-NativeObjectCount | Should -Be $before
    }

    It 'stops within a chunk' {
        $before = Get-NativeObjectCount
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$root/output/DemucsPS'; Import-AudioTrack '$song' | Split-AudioChunk -Overlap 0.9 | Invoke-DemucsChunk -Model '$tiny' -ThrottleLimit 2")
        $output = [Management.Automation.PSDataCollection[psobject]]::new()
        $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
        $until = [DateTime]::UtcNow.AddSeconds(60)
        while ($output.Count -eq 0 -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
        $running.IsCompleted | Should -BeFalse
        Get-NativeObjectCount | Should -BeGreaterThan $before
        $time = Measure-Command { $shell.Stop() }
        $time.TotalSeconds | Should -BeLessThan 10
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        $shell.Streams.Error | Should -BeNullOrEmpty
        Get-NativeObjectCount | Should -Be $before
        $shell.Dispose()
    }

    It 'works in runspaces side by side' {
        $before = Get-NativeObjectCount
        $stems = $chunks | ForEach-Object -ThrottleLimit 3 -Parallel {
            Import-Module "$using:root/output/DemucsPS" -Force
            $_ | Invoke-DemucsChunk -Model $using:small -Stem bass
        }
        $stems | Should -HaveCount 6
        ($stems | Join-StemChunk).StemName | Should -Be 'bass'
        Get-NativeObjectCount | Should -Be $before
    }

    It 'writes numbers with a point whatever the language, as do its neighbors' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript({
            param($root, $song, $small)
            [cultureinfo]::CurrentCulture = 'de-DE'
            1.5.ToString()
            Import-Module "$root/output/DemucsPS"
            $VerbosePreference = 'Continue'
            $track = Import-AudioTrack $song
            $chunks = $track | Split-AudioChunk -Length 8192 -Overlap 0.5 | Select-Object -First 2
            $spectrogram = $chunks[0] | ConvertTo-ChunkSpectrogram
            $stems = $chunks | Invoke-DemucsChunk -Model $small
            $track, $chunks, $spectrogram, $stems, (Get-DemucsModel) | ForEach-Object { $_ | Out-String -Width 300 }
        }.ToString()).AddArgument($root).AddArgument($song).AddArgument($small)
        $language, $said = @($shell.Invoke())
        $said += @($shell.Streams.Verbose)
        $shell.Dispose()
        $language | Should -Be '1,5'
        $said.Count | Should -BeGreaterThan 8
        $said | Should -Not -Match '\d,\d'
    }

    It 'shows progress below the track and completes it' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$root/output/DemucsPS'; `$args[0] | Invoke-DemucsChunk -Model '$small'").AddArgument($chunks)
        $null = $shell.Invoke()
        $records = $shell.Streams.Progress
        @($records | Where-Object { $_.ActivityId -eq 1 -and $_.StatusDescription -eq 'track 1: noise' }) | Should -Not -BeNullOrEmpty
        @($records | Where-Object { $_.ParentActivityId -eq 1 -and $_.StatusDescription -eq 'chunk 6 of 6' }) | Should -HaveCount 1
        @($records | Where-Object RecordType -eq 'Completed').ActivityId | Should -Be 2, 1
        $shell.Dispose()
    }

    It 'says more when asked' {
        $text = $chunks[0..1] | Invoke-DemucsChunk -Model $small -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | ForEach-Object { "$_" }
        $text[0] | Should -Match 'Model small: stems drums, bass, other, vocals'
        $text[-1] | Should -Match 'chunk 1 \(of 0 to 5\) of noise: 0\.2 s from 0:00:00\.1, separated in'
    }

    It 'completes stems and models' {
        (TabExpansion2 'Invoke-DemucsChunk -Stem v').CompletionMatches.CompletionText | Should -Be 'vocals'
        (TabExpansion2 'Invoke-DemucsChunk -Model ba').CompletionMatches.CompletionText | Should -Be 'baseline'
    }
}
