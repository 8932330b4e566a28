BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
}

Describe 'Test-DemucsSeparation' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $source = New-NoiseFile (Join-Path (Get-Location).ProviderPath 'noise [1].wav') 30000 5
        $result = Invoke-DemucsSeparation -LiteralPath $source -Model $small -WarningAction Ignore
        $folder = Split-Path $result.ProvenancePath
    }

    AfterEach {
        Pop-Location
    }

    It 'finds the stems as they were written' {
        $verification = Test-DemucsSeparation -LiteralPath $folder
        $verification.IsIntact | Should -BeTrue
        $verification.SourcePath | Should -Be $source
        $verification.Model | Should -Be 'small'
        $verification.Version | Should -Be (Get-Module DemucsPS).Version.ToString()
        $verification.Stems.FilePath | Should -Be $result.Stems.FilePath
        $verification | Out-String | Should -Match 'noise \[1\]\.wav\s+small\s+True\s+drums: Intact, '
        (Get-Item -LiteralPath $result.ProvenancePath | Test-DemucsSeparation).IsIntact | Should -BeTrue
        (Get-ChildItem -Directory separated/small | Test-DemucsSeparation).IsIntact | Should -BeTrue
        (Test-DemucsSeparation 'separated/*/*').IsIntact | Should -BeTrue
    }

    It 'finds stems that were changed or are missing' {
        $bytes = [IO.File]::ReadAllBytes($result.Stems[1].FilePath)
        $bytes[-1] = $bytes[-1] -bxor 1
        [IO.File]::WriteAllBytes($result.Stems[1].FilePath, $bytes)
        Remove-Item -LiteralPath $result.Stems[2].FilePath
        $verification = Test-DemucsSeparation -LiteralPath $folder
        $verification.IsIntact | Should -BeFalse
        $verification.Stems.State | Should -Be 'Intact', 'Changed', 'Missing', 'Intact'
    }

    It 'says where there is no provenance, or a damaged one, and goes on' {
        $null = New-Item -ItemType Directory empty, damaged
        Set-Content damaged/demucsps.json '{ "schema": 1 }'
        'empty', 'damaged', 'missing', 'separated/small/*' | Test-DemucsSeparation -ErrorVariable problems -ErrorAction SilentlyContinue | Should -HaveCount 1
        $problems.FullyQualifiedErrorId | Should -Be 'ProvenanceInvalid,DemucsPS.Cmdlets.TestDemucsSeparationCommand', 'ProvenanceInvalid,DemucsPS.Cmdlets.TestDemucsSeparationCommand', 'AudioTrackNotFound,DemucsPS.Cmdlets.TestDemucsSeparationCommand'
        $problems[0].TargetObject | Should -Be 'empty'
    }

    It 'lets Invoke-DemucsSeparation skip what is there, and nothing else' {
        $again = Invoke-DemucsSeparation -LiteralPath $source -Model $small -SkipExisting -WarningAction Ignore
        $again.Skipped | Should -BeTrue
        $again.Stems.FilePath | Should -Be $result.Stems.FilePath
        Invoke-DemucsSeparation -LiteralPath $source -Model $small -SkipExisting -Overlap 0.5 -WarningAction Ignore -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand'
        Remove-Item -LiteralPath $result.Stems[2].FilePath
        (Invoke-DemucsSeparation -LiteralPath $source -Model $small -SkipExisting -Force -WarningAction Ignore).Skipped | Should -BeFalse
        Test-Path -LiteralPath $result.Stems[2].FilePath | Should -BeTrue
    }
}
