BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    $source = New-NoiseFile (Join-Path $TestDrive 'noise.wav') 20000 1
    $track = Import-AudioTrack $source
    $stems = $track | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model $small | Join-StemChunk
}

Describe 'Export-Stem' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $here = (Get-Location).ProviderPath
    }

    AfterEach { Pop-Location }

    It 'writes the files of Invoke-DemucsSeparation, <BitDepth> bit, clip <Clip>' -ForEach @(
        @{ BitDepth = 16; Clip = 'Rescale' }, @{ BitDepth = 24; Clip = 'Rescale' }, @{ BitDepth = 32; Clip = 'Rescale' }
        @{ BitDepth = 16; Clip = 'Clamp' }, @{ BitDepth = 24; Clip = 'None' }, @{ BitDepth = 32; Clip = 'None' }
    ) {
        $null = Invoke-DemucsSeparation $source -Model $small -DestinationPath a -BitDepth $BitDepth -Clip $Clip -WarningVariable expected -WarningAction SilentlyContinue
        $stems | Export-Stem b -BitDepth $BitDepth -Clip $Clip -WarningVariable said -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        Get-Hashes b | Should -Be (Get-Hashes a)
        "$said".Replace((Join-Path $here 'b'), (Join-Path $here 'a')) | Should -Be "$expected"
    }

    It 'writes the files of Invoke-DemucsSeparation, <_>' -ForEach @(
        @{ TwoStems = 'vocals' }, @{ TwoStems = 'vocals'; TwoStemsMethod = 'Minus' }, @{ Residual = $true }, @{ Mixdown = @{ vocals = '-inf'; drums = -6 } }
        @{ FileNameTemplate = '{title}/{model} {stem}' }
    ) {
        $arguments = $_
        $null = Invoke-DemucsSeparation $source -Model $small -DestinationPath a -WarningAction Ignore @arguments
        $stems | Export-Stem b -WarningAction Ignore @arguments
        Get-Hashes b | Should -Be (Get-Hashes a)
        Get-ChildItem -Recurse -File b | Should -Not -BeNullOrEmpty
    }

    It 'makes everything but a stem of that stem alone' {
        $alone = $track | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model $small -Stem vocals | Join-StemChunk
        ($alone | Export-Stem a -TwoStems vocals -TwoStemsMethod Minus -PassThru -WarningAction Ignore).BaseName | Should -Be 'vocals', 'no_vocals'
        $null = Invoke-DemucsSeparation $source -Model $small -DestinationPath b -TwoStems vocals -TwoStemsMethod Minus -WarningAction Ignore
        Get-Hashes a | Should -Be (Get-Hashes b)
        $alone | Export-Stem c -Mixdown drums=0 -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'ParameterInvalid,DemucsPS.Cmdlets.ExportStemCommand'
        Test-Path c | Should -BeFalse
    }

    It 'goes to separated without -DestinationPath, and gives the files with -PassThru' {
        $files = $stems | Export-Stem -PassThru -WarningAction Ignore
        $files | Should -BeOfType 'System.IO.FileInfo'
        $files.FullName | Should -Be ('drums', 'bass', 'other', 'vocals' | ForEach-Object { Join-Path $here separated small noise "$_.wav" })
        $files | Should -Exist
    }

    It 'writes a track when its last stem is there' {
        $other = New-NoiseTrack 9000 2 'other' | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model $small | Join-StemChunk
        $seen = [Collections.Generic.List[string]]::new()
        @($stems) + $other | ForEach-Object { $seen.Add("in $_"); $_ } | Export-Stem -PassThru -WarningAction Ignore | ForEach-Object { $seen.Add($_.BaseName) }
        $seen.IndexOf('vocals') | Should -BeLessThan $seen.IndexOf('in drums of other')
    }

    It 'writes the stems of a filtered stream at the end, with their own rescaling' {
        $null = Invoke-DemucsSeparation $source -Model $small -Stem drums, bass -DestinationPath a -WarningAction Ignore
        $stems | Where-Object StemName -In drums, bass | Export-Stem b -WarningAction Ignore
        Get-Hashes b | Should -Be (Get-Hashes a)
    }

    It 'shows the plan and writes nothing with -WhatIf' {
        $transcript = pwsh -NoProfile -NonInteractive -Command "Import-Module '$root/output/DemucsPS'; Set-Location -LiteralPath '$here'; Import-AudioTrack '$source' | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model '$small' | Join-StemChunk | Export-Stem -WhatIf"
        "$transcript" | Should -Match 'What if: .*0\.5 MB to write: drums\.wav, bass\.wav, other\.wav, vocals\.wav in .*separated.small.noise'
        Get-ChildItem -Recurse -Force | Should -BeNullOrEmpty
    }

    It 'keeps existing files without -Force, and writes none of the others' {
        $mine = New-Item -Force (Join-Path 'separated' 'small' 'noise' 'other.wav') -Value 'mine'
        $stems | Export-Stem -ErrorVariable problem -ErrorAction SilentlyContinue -WarningAction Ignore
        $problem.FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.ExportStemCommand'
        (Get-ChildItem -Recurse -File -Force).Name | Should -Be 'other.wav'
        Get-Content $mine | Should -Be 'mine'
        { $stems | Export-Stem -ErrorAction Stop } | Should -Throw -ErrorId 'StemExists,DemucsPS.Cmdlets.ExportStemCommand'
        $stems | Export-Stem -Force -WarningAction Ignore
        Get-ChildItem -Recurse -File -Force | Should -HaveCount 4
    }

    It 'does not let two stems go to one file' {
        @($stems) + $stems[1] | Export-Stem a -Force -ErrorVariable problem -ErrorAction SilentlyContinue -WarningAction Ignore
        $problem.FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.ExportStemCommand'
        Get-ChildItem -Recurse -File a | Should -HaveCount 4
    }

    It 'says where it cannot write' {
        $null = New-Item 'file'
        $stems | Export-Stem file -ErrorVariable problem -ErrorAction SilentlyContinue -WarningAction Ignore
        $problem.FullyQualifiedErrorId | Should -Be 'StemWriteFailed,DemucsPS.Cmdlets.ExportStemCommand'
    }

    It 'leaves whole files only when the pipeline is cut short' {
        $first = $stems | Export-Stem -PassThru -WarningAction Ignore | Select-Object -First 1
        $first.Name | Should -Be 'drums.wav'
        (Get-ChildItem -Recurse -File -Force).Name | Sort-Object | Should -Be 'bass.wav', 'drums.wav', 'other.wav', 'vocals.wav'
        { $stems | Select-Object -First 3 | ForEach-Object { $_; if ($_.StemName -eq 'other') { throw 'upstream' } } | Export-Stem b } | Should -Throw 'upstream'
        Test-Path b | Should -BeFalse
    }

    It 'refuses what is no stem' {
        'x' | Export-Stem -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'InputObjectNotBound,DemucsPS.Cmdlets.ExportStemCommand'
        { $stems | Export-Stem -BitDepth 20 } | Should -Throw
    }
}
