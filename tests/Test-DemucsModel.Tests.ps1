BeforeAll {
    . (Join-Path $PSScriptRoot 'ModelFixtures.ps1')
}

AfterAll {
    . (Join-Path $PSScriptRoot 'NoModels.ps1')
}

Describe 'Test-DemucsModel' {
    BeforeEach {
        $folder = New-Library
    }

    It 'passes a good model, with what was measured' {
        $null = Install-DemucsModel tiny -Source $small -AcceptLicense
        $result = Test-DemucsModel tiny
        $result | Should -BeOfType 'DemucsPS.Engine.Models.ModelTestResult'
        $result.Passed | Should -BeTrue
        $result.HashMatches | Should -BeTrue
        $result.Problems | Should -BeNullOrEmpty
        $result.RunTime | Should -BeGreaterThan ([timespan]::Zero)
        $result | Out-String | Should -Match 'tiny +True +matches'
        # What Get-DemucsModel gives, and files.
        (Get-DemucsModel tiny | Test-DemucsModel).Passed | Should -BeTrue
        (Get-Item $small | Test-DemucsModel).Path | Should -Be $small
        (Test-DemucsModel -Path (Split-Path (Get-DemucsModel tiny).Path)).HashMatches | Should -BeTrue
    }

    It 'says what is wrong, without an error' {
        $null = Install-DemucsModel tiny -Source $small -AcceptLicense
        $path = (Get-DemucsModel tiny).Path
        [IO.File]::WriteAllBytes($path, [IO.File]::ReadAllBytes($small)[0..200])
        $result = Test-DemucsModel tiny -ErrorVariable problems
        $problems | Should -BeNullOrEmpty
        $result.Passed | Should -BeFalse
        $result.HashMatches | Should -BeFalse
        "$($result.Problems)" | Should -Match 'bytes instead of'
        $result | Out-String | Should -Match 'tiny +False +differs'
    }

    It 'tests each model of a bag' {
        $null = Install-DemucsModel tiny, other -Source $small -AcceptLicense
        (Test-DemucsModel pair).Name | Should -Be 'tiny', 'other'
    }

    It 'says the loss of a precision in dB' {
        $path = Join-Path $TestDrive 'loss.onnx'
        Copy-Item (Join-Path $PSScriptRoot 'fixtures' 'reference' 'models' 'htdemucs-tiny.onnx') $path
        $result = Test-DemucsModel -Path $path -Precision Int8
        $result.Passed | Should -BeTrue
        $result.Precision | Should -Be 'Int8'
        $result.DifferenceDb | Should -BeGreaterThan 80
        $result.DifferenceDb | Should -BeLessThan 125
        $result.ReferenceRunTime | Should -BeGreaterThan ([timespan]::Zero)
        # No weights, nothing to round.
        $null = Test-DemucsModel baseline -Precision Int8 -ErrorAction SilentlyContinue -ErrorVariable problems
        $problems.FullyQualifiedErrorId | Should -Be 'ParameterInvalid,DemucsPS.Cmdlets.TestDemucsModelCommand'
    }

    It 'tells of models that are not there' {
        $results = Test-DemucsModel htdemucs, baseline, ./none.onnx -ErrorAction SilentlyContinue -ErrorVariable problems
        $results.Name | Should -Be 'baseline'
        $problems.FullyQualifiedErrorId | Select-Object -Unique | Should -Be 'DemucsModelNotFound,DemucsPS.Cmdlets.TestDemucsModelCommand'
        $problems.TargetObject | Should -Be 'htdemucs', './none.onnx'
    }
}
