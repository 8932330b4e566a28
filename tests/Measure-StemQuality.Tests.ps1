BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
}

Describe 'Measure-StemQuality' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $here = (Get-Location).ProviderPath
        foreach ($track in 'One [live]', 'Two') {
            $null = New-NoiseFile (Join-Path $here "set/test/$track/vocals.wav") 30000 1
            $null = New-NoiseFile (Join-Path $here "set/test/$track/drums.wav") 30000 2
            $null = New-NoiseFile (Join-Path $here "set/test/$track/mixture.wav") 30000 3
            $null = New-NoiseFile (Join-Path $here "separated/model/$track/vocals.wav") 30000 1
            $null = New-NoiseFile (Join-Path $here "separated/model/$track/drums.wav") 30000 4
        }
    }

    AfterEach {
        Pop-Location
    }

    It 'measures a set, stem by stem and window by window' {
        $qualities = @(Measure-StemQuality separated set -Metric Sdr, NSdr -Window 0.25)
        $qualities.Track | Should -Be 'One [live]', 'Two'
        $qualities.Model | Should -Be 'model', 'model'
        $qualities[0].Stems.StemName | Should -Be 'drums', 'vocals'
        $qualities[0].Stems[0].Frames | Should -HaveCount 2
        $qualities[0].Stems[0].Sdr | Should -BeGreaterThan -4
        $qualities[0].Stems[0].Sdr | Should -BeLessThan -2
        $qualities[0].Stems[1].Frames.Sdr | Should -Be ([double]::PositiveInfinity), ([double]::PositiveInfinity)
        $qualities[0].Stems[1].Sdr | Should -BeNullOrEmpty
        $qualities[0].Stems[1].Sir | Should -BeNullOrEmpty
        $qualities[0].NullTestDb | Should -BeGreaterThan 0
        ($qualities | Out-String) | Should -Match 'One \[live\]\s+model\s+-3\.\d\d'
        ($qualities[0].Stems | Out-String) | Should -Match '(?m)^Track +Model +Stem +SDR'
        ($qualities[0].Stems[0].Frames | Out-String) | Should -Match '0:00:00\.250\s+-3\.\d\d'
    }

    It 'gives a table for Export-Csv' {
        (Measure-StemQuality separated set -Metric NSdr).Stems | Export-Csv figures.csv
        $rows = Import-Csv figures.csv
        $rows | Should -HaveCount 4
        $rows[0].StemName | Should -Be 'drums'
        [double]::Parse($rows[0].NSdr, [cultureinfo]::CurrentCulture) | Should -BeLessThan 0
        $rows[0].EstimatePath | Should -Be (Join-Path $here 'separated' 'model' 'One [live]' 'drums.wav')
    }

    It 'takes folders from the pipeline, by their names, and separations' {
        (Get-ChildItem separated/model | Measure-StemQuality -Reference set -Metric NSdr).Track | Should -Be 'One [live]', 'Two'
        (Measure-StemQuality -LiteralPath 'separated/model/One [live]' -Reference 'set/test/One [live]' -Metric NSdr).Stems | Should -HaveCount 2
        $measured = Invoke-DemucsSeparation -LiteralPath 'set/test/One [live]/mixture.wav' -Model $small -WarningAction Ignore | Measure-StemQuality -Reference set -Metric NSdr -WarningAction Ignore
        $measured.Track | Should -Be 'One [live]'
        $measured.Model | Should -Be 'small'
        $measured.Stems.StemName | Should -Be 'drums', 'vocals'
    }

    It 'keeps figures and goes on where it was' {
        $null = Measure-StemQuality 'separated/model/Two' 'set/test/Two' -Metric NSdr -DestinationPath figures
        Get-ChildItem figures -Recurse -File | Should -HaveCount 1
        (Measure-StemQuality separated set -Metric NSdr -DestinationPath kept).Resumed | Should -Be $false, $false
        (Measure-StemQuality separated set -Metric NSdr -DestinationPath kept -Resume).Resumed | Should -Be $true, $true
        Measure-StemQuality separated set -Metric NSdr -DestinationPath kept -ErrorVariable problems -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problems[0].FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.MeasureStemQualityCommand'
        (Measure-StemQuality separated set -Metric SiSdr -DestinationPath kept -Resume -Force).Resumed | Should -Be $false, $false
        Measure-StemQuality separated set -DestinationPath planned -WhatIf | Should -BeNullOrEmpty
        Test-Path planned | Should -BeFalse
    }

    It 'says what cannot be compared, and goes on' {
        $null = New-Item -ItemType Directory empty
        'empty', 'missing', 'separated/model/Two' | Measure-StemQuality -Reference set -Metric NSdr -ErrorVariable problems -ErrorAction SilentlyContinue | Should -HaveCount 1
        $problems.FullyQualifiedErrorId | Should -Be 'AudioTrackNotFound,DemucsPS.Cmdlets.MeasureStemQualityCommand', 'AudioTrackNotFound,DemucsPS.Cmdlets.MeasureStemQualityCommand'
        { Measure-StemQuality separated set -Window -1 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.MeasureStemQualityCommand'
        { Measure-StemQuality separated set -Resume } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.MeasureStemQualityCommand'
        Rename-Item 'separated/model/Two/vocals.wav' voices.wav
        Rename-Item 'separated/model/Two/drums.wav' beats.wav
        Measure-StemQuality separated/model/Two set/test/Two -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'StemsNotComparable,DemucsPS.Cmdlets.MeasureStemQualityCommand'
    }
}
