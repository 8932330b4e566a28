BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
}

Describe 'Show-StemPlayer' {
    BeforeAll {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive 'player'))
        $source = New-NoiseFile (Join-Path (Get-Location).ProviderPath 'noise [1].wav') 30000 5
        $result = Invoke-DemucsSeparation -LiteralPath $source -Model $small -WarningAction Ignore
        $folder = Split-Path $result.ProvenancePath
    }

    AfterAll {
        Pop-Location
    }

    It 'writes a page beside the stems of a result' {
        $page = $result | Show-StemPlayer -PassThru
        $page.FilePath | Should -Be (Join-Path $folder 'player.html')
        $page.HasMix | Should -BeTrue
        $page.Audio | Should -Be 'Embedded'
        $page.Stems | Should -Be $result.Stems.StemName
        $page | Out-String | Should -Match 'noise \[1\]\s+0:00:00\s+True\s+Embedded\s+drums, bass, other, vocals'
        Get-Content -Raw -LiteralPath $page.FilePath | Should -Match '^<!DOCTYPE html>'
        (Test-DemucsSeparation -LiteralPath $folder).IsIntact | Should -BeTrue
    }

    It 'takes folders, and replaces a page only with -Force' {
        $null = Show-StemPlayer -LiteralPath $folder -DestinationPath one.html -Sound Linked -PassThru
        Show-StemPlayer separated -DestinationPath one.html -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'StemExists,DemucsPS.Cmdlets.ShowStemPlayerCommand'
        "$($problem[0])" | Should -BeLike '*Use -Force to replace it.'
        (Get-ChildItem -Directory separated | Show-StemPlayer -DestinationPath one.html -Force -PassThru).Audio | Should -Be 'Embedded'
    }

    It 'says so where there is no desktop to open the page on' -Skip:(-not $IsLinux) {
        $display, $wayland = $env:DISPLAY, $env:WAYLAND_DISPLAY
        try {
            $env:DISPLAY = $env:WAYLAND_DISPLAY = $null
            Show-StemPlayer -LiteralPath $folder -DestinationPath open.html -Sound Linked -Open -WarningVariable warning -WarningAction SilentlyContinue -InformationAction Ignore
            "$warning" | Should -BeLike '*open.html*no desktop*'
        }
        finally {
            $env:DISPLAY, $env:WAYLAND_DISPLAY = $display, $wayland
        }
    }
}
