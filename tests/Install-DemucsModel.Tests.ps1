BeforeAll {
    . (Join-Path $PSScriptRoot 'ModelFixtures.ps1')
}

AfterAll {
    . (Join-Path $PSScriptRoot 'NoModels.ps1')
}

Describe 'Install-DemucsModel' {
    BeforeEach {
        $folder = New-Library
    }

    It 'installs from a file, and the model is used by its name' {
        $installed = Install-DemucsModel tiny -Source $small -AcceptLicense
        $installed | Should -BeOfType 'DemucsPS.Engine.Models.ModelInfo'
        $installed.Path | Should -Be (Join-Path $env:DEMUCSPS_MODELS 'tiny' 'tiny.onnx')
        $installed.Verified | Should -BeTrue
        $installed.InstalledAt | Should -BeGreaterThan ([datetime]::UtcNow.AddMinutes(-5))
        # A second time nothing is fetched: there is no such server.
        (Install-DemucsModel tiny).InstalledAt | Should -Be $installed.InstalledAt
        $track = [DemucsPS.Engine.Tracks.AudioTrack]::FromSamples('noise', [float[]]::new(9000), [float[]]::new(9000))
        ($track | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model tiny -Stem bass).ModelName | Select-Object -Unique | Should -Be 'tiny'
    }

    It 'installs all models of a bag, which is then used under its own name' {
        (Install-DemucsModel pair -Source (New-Item -ItemType Directory (Join-Path $folder 'share') | ForEach-Object { Copy-Item $small (Join-Path $_ 'small.onnx'); $_.FullName }) -AcceptLicense).Installed | Should -BeTrue
        (Get-DemucsModel tiny, other).Verified | Should -Be $true, $true
        $track = [DemucsPS.Engine.Tracks.AudioTrack]::FromSamples('noise', [float[]]::new(9000), [float[]]::new(9000))
        ($track | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model pair -Stem vocals).ModelName | Select-Object -Unique | Should -Be 'pair'
    }

    It 'resolves -Source at the current location' {
        Copy-Item $small (Join-Path $folder 'here.onnx')
        Push-Location -LiteralPath $folder
        try { (Install-DemucsModel tiny -Source here.onnx -AcceptLicense).Installed | Should -BeTrue } finally { Pop-Location }
    }

    It 'does nothing with -WhatIf' {
        $told = pwsh -NoProfile -NonInteractive -Command "Import-Module '$root/output/DemucsPS'; Install-DemucsModel htdemucs -WhatIf; Install-DemucsModel htdemucs -AcceptLicense -WhatIf"
        $told | Should -HaveCount 2
        $told[0] | Should -Match 'What if: .*Install htdemucs from the addresses of the catalog, 84 MB; its license notice must be accepted first \(-AcceptLicense\): .+'
        $told[1] | Should -Match 'What if: .*Install htdemucs from the addresses of the catalog, 84 MB"'
        $env:DEMUCSPS_MODELS | Should -Not -Exist
    }

    It 'names -AcceptLicense where nobody can be asked, and ends: <kind>' -ForEach @(
        @{ kind = 'an empty line'; in = '' }
        @{ kind = 'a yes that answers something else'; in = 'y' }
        @{ kind = 'no input'; in = $null }
    ) {
        $told = $in | pwsh -NoProfile -Command "Import-Module '$root/output/DemucsPS'; try { Install-DemucsModel tiny, other -Source '$small'; 'went on' } catch { `$_.FullyQualifiedErrorId; `$_.ToString() }"
        "$told" | Should -Match '^LicenseNotAccepted,DemucsPS.Cmdlets.InstallDemucsModelCommand .*Only for tests\..*-AcceptLicense'
        "$told" | Should -Not -Match 'went on'
        Join-Path $env:DEMUCSPS_MODELS 'tiny' | Should -Not -Exist
    }

    It 'does not install what was not accepted' {
        $told = pwsh -NoProfile -NonInteractive -Command "Import-Module '$root/output/DemucsPS'; try { Install-DemucsModel tiny -Source '$small' -ErrorAction Stop } catch { `$_.FullyQualifiedErrorId; `$_.Exception.Message }"
        "$told" | Should -Match 'LicenseNotAccepted,.*Only for tests'
        Join-Path $env:DEMUCSPS_MODELS 'tiny' | Should -Not -Exist
    }

    It 'refuses a file with another hash and leaves nothing' {
        $bytes = [IO.File]::ReadAllBytes($small)
        $bytes[100] = $bytes[100] -bxor 1
        $wrong = Join-Path $folder 'wrong.onnx'
        [IO.File]::WriteAllBytes($wrong, $bytes)
        Install-DemucsModel tiny, kazoo -Source $wrong -AcceptLicense -ErrorAction SilentlyContinue -ErrorVariable problems -WarningAction Ignore | Out-Null
        $problems[0].FullyQualifiedErrorId | Should -Be 'ModelHashMismatch,DemucsPS.Cmdlets.InstallDemucsModelCommand'
        $problems[0].TargetObject | Should -Be 'tiny'
        Join-Path $env:DEMUCSPS_MODELS 'tiny' | Should -Not -Exist
    }

    It 'takes a file URI as the source of a model of ones own' {
        Copy-Item $small (Join-Path $folder 'my own.onnx')
        $uri = [uri]::new((Join-Path $folder 'my own.onnx'), [UriKind]::Absolute).AbsoluteUri
        $uri | Should -Match '^file:///.*/my%20own.onnx$'
        (Install-DemucsModel mine -Source $uri -NoPreparation -WarningAction Ignore).Stems | Should -Be 'drums', 'bass', 'other', 'vocals'
    }

    It 'takes in a model of ones own, prepared or not' {
        $own = Install-DemucsModel mine -Source $tiny -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -Match 'in no catalog'
        $own.Stems | Should -Be 'drums', 'bass', 'other', 'vocals'
        (Get-ChildItem (Split-Path $own.Path)).Name | Sort-Object | Should -Be 'mine.onnx', 'model.json'
        Get-DemucsModel -Cache | Where-Object Model -EQ mine | Should -HaveCount 1
        Install-DemucsModel mine -Source $small -ErrorAction SilentlyContinue -ErrorVariable problems | Out-Null
        $problems.FullyQualifiedErrorId | Should -Be 'ParameterInvalid,DemucsPS.Cmdlets.InstallDemucsModelCommand'
        $null = Install-DemucsModel mine -Source $small -Force -NoPreparation -WarningAction Ignore
        (Get-ChildItem (Split-Path $own.Path)).Name | Sort-Object | Should -Be 'mine.onnx', 'model.json'
    }

    It 'tells of <name> that it cannot be installed: <id>' -ForEach @(
        @{ name = 'kazoo'; source = $null; id = 'DemucsModelNotFound' }
        @{ name = 'baseline'; source = $null; id = 'ParameterInvalid' }
        @{ name = 'tiny'; source = 'http://models.invalid/x.onnx'; id = 'ParameterInvalid' }
        @{ name = 'tiny'; source = './none.onnx'; id = 'ModelDownloadFailed' }
    ) {
        $more = $source ? @{ Source = $source } : @{}
        Install-DemucsModel $name -AcceptLicense @more -ErrorAction SilentlyContinue -ErrorVariable problems | Should -BeNullOrEmpty
        $problems.FullyQualifiedErrorId | Should -Be "$id,DemucsPS.Cmdlets.InstallDemucsModelCommand"
    }
}
