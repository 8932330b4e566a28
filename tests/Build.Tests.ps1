# What build.ps1 says of itself. A first line for the shell hides the help from PowerShell unless an empty line follows.
Describe 'build.ps1' {
    BeforeAll {
        $script = Join-Path (Split-Path $PSScriptRoot) build.ps1
        $help = Get-Help $script
    }

    It 'tells what each of its tasks does' {
        $help.Synopsis | Should -Match '^Builds, tests or packages DemucsPS\.'
        $tasks = (Get-Command $script).Parameters['Task'].Attributes.ValidValues
        $tasks | Should -Contain 'Pack'
        foreach ($task in $tasks) {
            "$($help.description.Text)" | Should -Match "(?m)^$task +\w.*\.$"
        }
    }
}
