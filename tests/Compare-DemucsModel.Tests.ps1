BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
}

Describe 'Compare-DemucsModel' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $here = (Get-Location).ProviderPath
        $source = New-NoiseFile (Join-Path $here 'noise [1].wav') 30000 5
        # The first stem of this model is the mix itself.
        $null = New-NoiseFile (Join-Path $here 'true/drums.wav') 30000 5
        $null = New-NoiseFile (Join-Path $here 'true/bass.wav') 30000 6
    }

    AfterEach {
        Pop-Location
    }

    It 'tells quality, difference, time and memory of each way, and keeps the stems' {
        $ways = @(Compare-DemucsModel -LiteralPath $source -Model $small -Setting @{ Overlap = 0.05 }, @{ Overlap = 0.25; Shifts = 1 } -Reference true -Metric NSdr -WarningAction Ignore)
        $ways.Setting | Should -Be 'small, overlap 0.05', 'small, overlap 0.25, shifts 1'
        $ways[0].DifferenceDb | Should -BeNullOrEmpty
        # The stems are multiples of the mix however it is cut.
        $ways[1].DifferenceDb | Should -BeLessThan -60
        $ways.NSdr | ForEach-Object { $_ | Should -Not -BeNullOrEmpty }
        $ways[0].Quality.Stems.StemName | Should -Be 'bass', 'drums'
        $ways[0].Elapsed | Should -BeGreaterThan ([timespan]::Zero)
        $ways[0].PeakMemory | Should -BeGreaterThan 50MB
        $ways[1].Folder | Should -Be (Join-Path $here 'compared' 'small, overlap 0.25, shifts 1' 'noise [1]')
        Get-ChildItem -LiteralPath $ways[1].Folder -Filter *.wav | Should -HaveCount 4
        ($ways | Out-String -Width 200) | Should -Match 'noise \[1\]\s+small, overlap 0\.25, shifts 1'
    }

    It 'refuses what cannot be compared, and does nothing with -WhatIf' {
        { Compare-DemucsModel -LiteralPath $source -Setting @{ Volume = 3 } } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.CompareDemucsModelCommand'
        { Compare-DemucsModel -LiteralPath $source -Setting @{ Overlap = 'much' } } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.CompareDemucsModelCommand'
        { Compare-DemucsModel -LiteralPath $source -Model $small -Setting @{ Shifts = 0 }, @{ } -WarningAction Ignore } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.CompareDemucsModelCommand'
        Compare-DemucsModel -LiteralPath $source -Model $small -DestinationPath planned -WhatIf | Should -BeNullOrEmpty
        Test-Path planned | Should -BeFalse
    }
}
