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
        $result | Should -BeOfType 'DemucsPS.Engine.Models.Checks.ModelTestResult'
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

    It 'says what preparation changes' {
        $path = Join-Path $folder 'own.onnx'
        Copy-Item (Join-Path $PSScriptRoot 'fixtures' 'normalizing.onnx') $path
        $result = Test-DemucsModel -Path $path -ErrorVariable problems
        $problems | Should -BeNullOrEmpty
        $result.Passed | Should -BeTrue
        $result.Preparation.Chunk | Should -Be 'Music', 'MostlySilence', 'Offset'
        $result.Preparation[1].PreparedDb | Should -BeGreaterThan 120
        $result.Preparation | Out-String | Should -Match 'MostlySilence +\S+ +\S+ +\S+\s'
        $result | Out-String | Should -Match 'own +True +not known .* dB +none'
        (Test-DemucsModel -Path $path -NoPreparation).Preparation | Should -BeNullOrEmpty
    }

    It 'refuses a preparation that loses, with an error, and separations say so' {
        $path = Join-Path $folder 'broken.onnx'
        Copy-Item (Join-Path $PSScriptRoot 'fixtures' 'normalizing.onnx') $path
        $cache = $env:DEMUCSPS_CACHE
        $env:DEMUCSPS_CACHE = Join-Path $folder 'cache'
        try {
            $null = Test-DemucsModel -Path $path
            # A rewrite that is wrong: the deviation without its square root. The end of a copy is the SHA-256 of what is before, in digits.
            $copy = (Get-DemucsModel -Cache).Path
            $latin = [Text.Encoding]::Latin1
            $bytes = $latin.GetBytes($latin.GetString([IO.File]::ReadAllBytes($copy)).Replace("$([char]4)Sqrt", "$([char]4)Relu"))
            $digits = [Convert]::ToHexStringLower([Security.Cryptography.SHA256]::HashData($bytes[0..($bytes.Length - 86)]))
            $latin.GetBytes($digits).CopyTo($bytes, $bytes.Length - 64)
            [IO.File]::WriteAllBytes($copy, $bytes)

            $result = Test-DemucsModel -Path $path -ErrorAction SilentlyContinue -ErrorVariable problems
            $result.Passed | Should -BeFalse
            $result.PreparationRefused | Should -BeTrue
            $problems.FullyQualifiedErrorId | Should -Be 'PreparationRefused,DemucsPS.Cmdlets.TestDemucsModelCommand'
            "$problems" | Should -Match "'$([regex]::Escape($path))' is not prepared: .* \d+\.\d dB"
            $problems[0].ErrorDetails.Message | Should -Match 'Use -NoPreparation to run the model without preparation\.'
            $result | Out-String -Width 300 | Should -Match 'broken +False .* refused '
            Get-DemucsModel -Cache | Out-String | Should -Match 'broken +refused'

            { Invoke-DemucsSeparation (Join-Path $root 'samples' 'mix.wav') -Model $path -DestinationPath $folder -ErrorAction Stop } | Should -Throw -ErrorId 'PreparationRefused,*'
            # A test decides anew, with a new copy.
            (Test-DemucsModel -Path $path).PreparationRefused | Should -BeFalse
        }
        finally {
            $env:DEMUCSPS_CACHE = $cache
        }
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
