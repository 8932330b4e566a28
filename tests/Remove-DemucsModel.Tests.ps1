BeforeAll {
    . (Join-Path $PSScriptRoot 'ModelFixtures.ps1')
}

AfterAll {
    . (Join-Path $PSScriptRoot 'NoModels.ps1')
}

Describe 'Remove-DemucsModel' {
    BeforeEach {
        $folder = New-Library
        $null = Install-DemucsModel tiny, other -Source $small -AcceptLicense
    }

    It 'removes a model with its prepared copies' {
        Set-Content (Join-Path $env:DEMUCSPS_MODELS 'tiny' 'tiny.0123456789abcdef.prepared.onnx') 'copy'
        $content = (Get-FileHash $small).Hash.Substring(0, 16).ToLowerInvariant()
        $copy = New-Item -Force (Join-Path $env:DEMUCSPS_CACHE "tiny.$content.0123456789abcdef.v9.prepared.onnx") -Value 'copy'
        Remove-DemucsModel tiny | Should -BeNullOrEmpty
        $copy | Should -Not -Exist
        Join-Path $env:DEMUCSPS_MODELS 'tiny' | Should -Not -Exist
        (Get-DemucsModel tiny).Installed | Should -BeFalse
        (Get-DemucsModel other).Installed | Should -BeTrue
    }

    It 'removes all models of a bag, and models from the pipeline' {
        Remove-DemucsModel pair
        (Get-DemucsModel tiny, other).Installed | Should -Be $false, $false
        $null = Install-DemucsModel tiny -Source $small -AcceptLicense
        Get-DemucsModel tiny | Remove-DemucsModel
        (Get-DemucsModel tiny).Installed | Should -BeFalse
    }

    It 'does nothing with -WhatIf' {
        $told = pwsh -NoProfile -NonInteractive -Command "Import-Module '$root/output/DemucsPS'; Remove-DemucsModel tiny -WhatIf"
        "$told" | Should -Match 'What if: .*tiny'
        (Get-DemucsModel tiny).Verified | Should -BeTrue
    }

    It 'refuses <name>: <id>' -ForEach @(
        @{ name = '../models'; id = 'ParameterInvalid' }
        @{ name = '/'; id = 'ParameterInvalid' }
        @{ name = 'baseline'; id = 'ParameterInvalid' }
        @{ name = 'htdemucs'; id = 'DemucsModelNotFound' }
    ) {
        Remove-DemucsModel $name -ErrorAction SilentlyContinue -ErrorVariable problems
        $problems.FullyQualifiedErrorId | Should -Be "$id,DemucsPS.Cmdlets.RemoveDemucsModelCommand"
        (Get-DemucsModel tiny).Verified | Should -BeTrue
    }
}
