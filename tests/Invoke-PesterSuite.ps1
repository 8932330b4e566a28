# Runs the Pester suite against the built module and ends with a line for .ci/run.
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0

$configuration = New-PesterConfiguration
$configuration.Run.Path = $PSScriptRoot
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
$configuration.Output.CIFormat = 'None'
$cache = $env:DEMUCSPS_CACHE
try {
    $result = Invoke-Pester -Configuration $configuration
}
finally {
    # What a user has must neither matter nor change; see NoModels.ps1.
    if (-not $cache) { Remove-Item -Recurse -Force -ErrorAction Ignore (Join-Path ([IO.Path]::GetTempPath()) "demucsps-test-cache-$PID") }
}

foreach ($test in $result.Skipped) {
    Write-Host "skipped: $($test.ExpandedPath)"
}
# A file that cannot even be read is no failed test to Pester, but it is to us.
$failed = $result.FailedCount + $result.FailedContainersCount + $result.FailedBlocksCount
Write-Host "Pester: $($result.PassedCount) passed, $failed failed, $($result.SkippedCount) skipped"
exit [int]($failed -gt 0)
