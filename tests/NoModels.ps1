# Dot-sourced: what a developer has installed must not matter to tests.
$env:DEMUCSPS_MODELS = Join-Path ([IO.Path]::GetTempPath()) "demucsps-no-models-$PID"
$env:DEMUCSPS_MODEL = $null
$env:DEMUCSPS_CATALOG = $null
if (-not $env:DEMUCSPS_CACHE) { $env:DEMUCSPS_CACHE = Join-Path ([IO.Path]::GetTempPath()) "demucsps-test-cache-$PID" }
$env:DEMUCSPS_PROVIDERS = Join-Path ([IO.Path]::GetTempPath()) "demucsps-no-providers-$PID"
