BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    $module = Join-Path $root 'output' 'DemucsPS'
}

Describe 'Show-Spectrogram' {
    It 'names Export-Spectrogram where there is no terminal, and writes the picture all the same with -Force' {
        $code = @"
            Import-Module '$module'
            `$track = Import-AudioTrack '$song'
            try { `$track | Show-Spectrogram -ErrorAction Stop } catch { `$_.FullyQualifiedErrorId; "`$_" }
            `$track | Show-Spectrogram -Width 300 -Height 200 -Duration 2 -Force
"@
        $said = pwsh -NoProfile -NonInteractive -Command $code
        $said[0] | Should -Be 'SixelUnsupported,DemucsPS.Cmdlets.ShowSpectrogramCommand'
        $said[1] | Should -Match 'Export-Spectrogram.* Use -Force'
        $said[2] | Should -Match "^`eP0;1q`"1;1;300;200#0;2;[0-9;#]+.*`e\\$"
        $said | Should -HaveCount 3
    }
}
