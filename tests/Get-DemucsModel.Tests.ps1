BeforeAll {
    . (Join-Path $PSScriptRoot 'ModelFixtures.ps1')
}

AfterAll {
    . (Join-Path $PSScriptRoot 'NoModels.ps1')
}

Describe 'Get-DemucsModel' {
    BeforeEach {
        $folder = New-Library
    }

    It 'lists what is known, installed or not' {
        $models = Get-DemucsModel
        $models | ForEach-Object { $_ | Should -BeOfType 'DemucsPS.Engine.Models.ModelInfo' }
        $models.Name | Should -Contain 'htdemucs_ft'
        $models[0].Name | Should -Be 'baseline'
        ($models | Where-Object Installed).Name | Should -Be 'baseline'
        $htdemucs = $models | Where-Object Name -EQ 'htdemucs'
        $htdemucs.Size | Should -Be 84025440
        $htdemucs.Contract | Should -Be 'split'
        $htdemucs.Stems | Should -Be 'drums', 'bass', 'other', 'vocals'
        $htdemucs.SegmentFrames | Should -Be 343980
        $htdemucs.LicenseNotice | Should -Match 'scientific purposes'
        $env:DEMUCSPS_MODELS | Should -Not -Exist
    }

    It 'shows installed models, also those that were copied by hand' {
        $null = New-Item -ItemType Directory (Join-Path $env:DEMUCSPS_MODELS 'mine')
        Copy-Item $small (Join-Path $env:DEMUCSPS_MODELS 'mine' 'any.onnx')
        Install-DemucsModel tiny -Source $small -AcceptLicense | Out-Null
        $mine = Get-DemucsModel mine
        $mine.Installed | Should -BeTrue
        $mine.Verified | Should -BeFalse
        $mine.Path | Should -Be (Join-Path $env:DEMUCSPS_MODELS 'mine' 'any.onnx')
        (Get-DemucsModel ti*).Verified | Should -BeTrue
        (Get-DemucsModel pair).Installed | Should -BeFalse
        (Get-DemucsModel pair).Members | Should -Be 'tiny', 'other'
        Get-DemucsModel | Out-String | Should -Match '(?m)^tiny +verified'
        # A damaged file is seen by its size.
        Set-Content (Get-DemucsModel tiny).Path 'short'
        (Get-DemucsModel tiny).Verified | Should -BeFalse
    }

    It 'names a folder that cannot be read, and lists the rest' -Skip:($IsWindows -or [Environment]::IsPrivilegedProcess) {
        $null = New-Item -ItemType Directory (Join-Path $env:DEMUCSPS_MODELS 'secret')
        chmod 0 (Join-Path $env:DEMUCSPS_MODELS 'secret')
        try {
            (Get-DemucsModel -ErrorAction SilentlyContinue -ErrorVariable problems).Name | Should -Contain 'baseline'
            $problems.FullyQualifiedErrorId | Should -Be 'DemucsModelNotFound,DemucsPS.Cmdlets.GetDemucsModelCommand'
            $problems.TargetObject | Should -Be (Join-Path $env:DEMUCSPS_MODELS 'secret')
            (TabExpansion2 'Get-DemucsModel ti').CompletionMatches.CompletionText | Should -Be 'tiny'
        }
        finally { chmod 700 (Join-Path $env:DEMUCSPS_MODELS 'secret') }
    }

    It 'takes wildcards and names, and tells of names that are none' {
        (Get-DemucsModel htdemucs_6s*).Name | Should -Be 'htdemucs_6s', 'htdemucs_6s_ryan5453', 'htdemucs_6s_ryan5453_fp16'
        Get-DemucsModel none* | Should -BeNullOrEmpty
        ('tiny', 'kazoo', 'pair' | Get-DemucsModel -ErrorAction SilentlyContinue -ErrorVariable problems).Name | Should -Be 'tiny', 'pair'
        $problems.FullyQualifiedErrorId | Should -Be 'DemucsModelNotFound,DemucsPS.Cmdlets.GetDemucsModelCommand'
        $problems.TargetObject | Should -Be 'kazoo'
    }

    It 'names a catalog that cannot be used, and the entry' {
        Set-Content $env:DEMUCSPS_CATALOG '{ "version": 1, "models": [{ "name": "bad one" }] }'
        { Get-DemucsModel } | Should -Throw "*$env:DEMUCSPS_CATALOG*model number 1*bad one*" -ErrorId 'CatalogInvalid,DemucsPS.Cmdlets.GetDemucsModelCommand'
    }

    It 'completes names' {
        (TabExpansion2 'Get-DemucsModel htdemucs_f').CompletionMatches.CompletionText | Should -Be 'htdemucs_ft', 'htdemucs_ft_drums', 'htdemucs_ft_bass', 'htdemucs_ft_other', 'htdemucs_ft_vocals', 'htdemucs_ft_stemsplitio', 'htdemucs_ft_stemsplitio_drums', 'htdemucs_ft_stemsplitio_bass', 'htdemucs_ft_stemsplitio_other', 'htdemucs_ft_stemsplitio_vocals'
        (TabExpansion2 'Remove-DemucsModel ').CompletionMatches.CompletionText | Should -Not -Contain 'tiny'
        (TabExpansion2 'Install-DemucsModel ti').CompletionMatches.CompletionText | Should -Be 'tiny'
        (TabExpansion2 'Invoke-DemucsSeparation -Model ti').CompletionMatches.CompletionText | Should -Contain 'tiny'
    }
}
