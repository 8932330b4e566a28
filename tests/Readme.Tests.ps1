Describe 'What <_> shows of PowerShell' -ForEach 'README.md', 'docs/TOUR.md' {
    It 'prints what is printed there' {
        $root = Split-Path $PSScriptRoot
        $readme = (Get-Content -Raw (Join-Path $root $_)) -replace "`r`n", "`n"
        # All blocks of a document are one session.
        $session = ([regex]::Matches($readme, '(?s)```powershell-session\n(.*?)```') | ForEach-Object { $_.Groups[1].Value }) -join ''
        $steps = [regex]::Matches($session, '(?ms)^PS> (?<command>[^\n]*)\n(?<output>.*?)(?=^PS> |\z)')
        $steps.Count | Should -BeGreaterThan 5

        # A shell of its own, as a reader has one.
        $music = New-Item -ItemType Directory (Join-Path $TestDrive 'music')
        Copy-Item (Join-Path $root 'samples' 'mix.wav') $music
        $script = @(
            "Set-Location -LiteralPath '$root'"
            '$PSStyle.OutputRendering = "PlainText"'
            '$ErrorView = "ConciseView"'
            $steps | ForEach-Object -Begin { $first = $true } {
                "'@@step'"
                # Errors in the same stream: of two pipes nobody knows which is read first.
                "$($_.Groups['command'].Value) 2>&1 | Out-String -Width 300 -Stream"
                if ($first) { "Set-Location -LiteralPath '$music'"; $first = $false }
            }
        ) -join "`n"
        $path = Join-Path $TestDrive 'tour.ps1'
        Set-Content $path ($script -replace '(?m)^(\$\w+ = .*) 2>&1 \| Out-String.*$', '$1')
        $got = (pwsh -NoProfile -NonInteractive -File $path 2>&1 | ForEach-Object { "$_" }) -join "`n" -split '@@step\n?' | Select-Object -Skip 1
        $got | Should -HaveCount $steps.Count

        for ($i = 0; $i -lt $steps.Count; $i++) {
            $expected = Format-Output $steps[$i].Groups['output'].Value
            $separator = [IO.Path]::DirectorySeparatorChar
            $actual = Format-Output $got[$i].Replace($separator, '/').Replace($music.FullName.Replace($separator, '/'), '/music')
            if ($expected -match '^Invoke-DemucsSeparation: (?<message>.*)$') {
                # A script's error also shows its line; a prompt's does not.
                ($actual -replace '\s*\|\s*', ' ' -replace '\s+', ' ') | Should -BeLike "*$($Matches.message)*"
            }
            else {
                $actual | Should -Be $expected -Because $steps[$i].Groups['command'].Value
            }
        }
    }

    BeforeAll {
        . (Join-Path $PSScriptRoot 'NoModels.ps1')
        # Times and the widths they give to columns differ from run to run.
        function Format-Output([string] $Text) {
            (($Text -split "`n" | ForEach-Object { $_.Trim() -replace '\s+', ' ' -replace '-{3,}', '---' -replace '0:00:20 0:00:\d\d', '0:00:20 #' } | Where-Object { $_ }) -join "`n").Trim()
        }
    }
}
