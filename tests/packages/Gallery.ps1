# The module's package from a gallery of files to its removal, in a PowerShell with a home folder of its own. Each step is a line; the first that fails ends it.
param(
    [Parameter(Mandatory)] [string] $Package,
    [Parameter(Mandatory)] [string] $Work,
    [Parameter(Mandatory)] [string] $Song,
    [Parameter(Mandatory)] [string] $Catalog,
    [Parameter(Mandatory)] [string] $Model,
    [string] $RepositoryUrl
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
$ProgressPreference = 'SilentlyContinue'

function Assert([bool] $Holds, [string] $Name) {
    if (-not $Holds) {
        Write-Output "gallery: ${Name}: failed"
        exit 1
    }
    Write-Output "gallery: ${Name}: passed"
}

# Lines of PowerShell in a process of their own; what they say.
function Invoke-Apart([string] $Code) {
    @(pwsh -NoProfile -NonInteractive -Command "`$ErrorActionPreference = 'Stop'; $Code" 2>&1 | ForEach-Object { "$_" })
}

function Get-Left {
    @(Get-ChildItem -LiteralPath $HOME -Recurse -File -Force | ForEach-Object { [IO.Path]::GetRelativePath($HOME, $_.FullName) } | Where-Object { $_ -match 'demucs' })
}

$modules = ($env:PSModulePath -split [IO.Path]::PathSeparator)[0]
$null = New-Item -ItemType Directory -Force $modules
$gallery = (New-Item -ItemType Directory (Join-Path $Work gallery)).FullName
$version = [regex]::Match($Package, 'DemucsPS\.(\d+\.\d+\.\d+)\.nupkg$').Groups[1].Value
Register-PSResourceRepository -Name Local -Uri $gallery -Trusted
Publish-PSResource -NupkgPath $Package -Repository Local
$found = Find-PSResource DemucsPS -Repository Local
Assert ($found.Name -ceq 'DemucsPS' -and $found.Version.ToString(3) -eq $version) 'it is published and found'
Assert ([IO.File]::ReadAllBytes($Package).Length -lt 150MB) 'it is smaller than 150 MB'
Assert ("$($found.LicenseUri)" -like 'https://*' -and $found.Tags -contains 'demucs' -and $found.ReleaseNotes -and $found.Description) 'it says what it is, and under which license'
if ($RepositoryUrl) {
    Assert ("$($found.ProjectUri)" -eq $RepositoryUrl -and "$($found.IconUri)" -like "$RepositoryUrl/*icon.png") 'it names the addresses of the project and of its icon'
}

# An older version: the same files with another number.
$older = Join-Path $Work older DemucsPS
[IO.Compression.ZipFile]::ExtractToDirectory($Package, $older)
Remove-Item -Recurse -Force -LiteralPath (Join-Path $older _rels), (Join-Path $older package), (Join-Path $older '[Content_Types].xml'), (Join-Path $older DemucsPS.nuspec)
$manifest = Join-Path $older DemucsPS.psd1
[IO.File]::WriteAllText($manifest, [IO.File]::ReadAllText($manifest).Replace("ModuleVersion        = '$version'", "ModuleVersion        = '0.0.9'"))
Publish-PSResource -Path $older -Repository Local -SkipModuleManifestValidate
Install-PSResource DemucsPS -Repository Local -Version 0.0.9
Assert ((Invoke-Apart 'Import-Module DemucsPS; (Get-Module DemucsPS).Version.ToString()') -eq '0.0.9') 'an older version is installed, and imported by its name'

# One PowerShell has it loaded while another updates it.
$start = [Diagnostics.ProcessStartInfo]::new((Get-Command pwsh -CommandType Application)[0].Source)
$said = Join-Path $Work said
foreach ($argument in '-NoProfile', '-NonInteractive', '-Command', "Import-Module DemucsPS; 'loaded'; `$null = [Console]::ReadLine(); (Get-Module DemucsPS).Version.ToString(); (Invoke-DemucsSeparation '$Song' -DestinationPath '$said' -WarningAction Ignore).Stems.Count") {
    $start.ArgumentList.Add($argument)
}
$start.RedirectStandardInput = $start.RedirectStandardOutput = $true
$holder = [Diagnostics.Process]::Start($start)
try {
    $loaded = $holder.StandardOutput.ReadLine()
    Update-PSResource DemucsPS -Repository Local
    $holder.StandardInput.WriteLine()
    $rest = $holder.StandardOutput.ReadToEnd() -split '\r?\n' | Where-Object { $_ }
    Assert ($loaded -eq 'loaded' -and "$rest" -eq '0.0.9 4') 'it is updated while the older one is loaded, which goes on working'
}
finally {
    if (-not $holder.HasExited) { $holder.Kill() }
}
Assert ((Invoke-Apart 'Import-Module DemucsPS; (Get-Module DemucsPS).Version.ToString()') -eq $version) 'a new PowerShell has the new version'

$folder = Join-Path $modules DemucsPS $version
$data = Import-PowerShellDataFile (Join-Path $folder DemucsPS.psd1)
Assert (@($data.FileList | Where-Object { -not (Test-Path -LiteralPath (Join-Path $folder $_)) }).Count -eq 0 -and $data.FileList.Count -gt 20 -and $data.FileList -contains 'CHANGELOG.md') 'all files of its list are there, the changelog among them'
$wrong = @(foreach ($line in [IO.File]::ReadAllLines((Join-Path $folder DemucsPS.sha256))) {
        $file = Join-Path $folder $line.Substring(66)
        if (-not (Test-Path -LiteralPath $file) -or (Get-FileHash -LiteralPath $file).Hash -ne $line.Substring(0, 64)) { $file }
    })
Assert ($wrong.Count -eq 0) 'all files have the hashes that come with them'
Assert ((Invoke-Apart "(Test-ModuleManifest '$folder/DemucsPS.psd1').ExportedCommands.Count") -eq $data.CmdletsToExport.Count) 'its manifest is right'

$help = Invoke-Apart "foreach (`$name in (Get-Command -Module DemucsPS -ListImported) + (Get-Module DemucsPS -ListAvailable | Select-Object -First 1).ExportedCommands.Values | Sort-Object -Unique) { `$help = Get-Help `$name.Name; if (`$help.Synopsis -notmatch '\w+ \w+.*\.' -or -not `$help.examples) { `$name.Name } }; 'about_DemucsPS', 'about_DemucsPS_Pipeline' | ForEach-Object { if (-not (Get-Help `$_)) { `$_ } }; 'done'"
Assert ("$help" -eq 'done') "help is found for each command and about_ topic ($help)"
if ($RepositoryUrl) {
    Assert ((Invoke-Apart "@((Get-Module DemucsPS -ListAvailable | Select-Object -First 1).ExportedCommands.Keys | Where-Object { -not ((Get-Help `$_).relatedLinks.navigationLink.uri -eq ('$RepositoryUrl/blob/v$version/docs/help/' + `$_ + '.md')) }).Count") -eq '0') 'each command has an address for Get-Help -Online'
}
Assert ("$(Invoke-Apart 'Update-Help DemucsPS -UICulture en-US -Scope CurrentUser -ErrorAction Continue')" -match 'does not support updatable help. Use Get-Help -Online') 'Update-Help asks no address for help that came with it'

$used = Invoke-Apart "`$env:DEMUCSPS_CATALOG = '$Catalog'; `$null = Install-DemucsModel mine -Source '$Model' -AcceptLicense; (Invoke-DemucsSeparation '$Song' -Model mine -DestinationPath '$Work/mine' -WarningAction Ignore).Stems.Count"
Assert ("$used" -eq '4') "a model is installed and used ($used)"
Uninstall-PSResource DemucsPS -Version '*'
$left = @(Get-Left)
$kept = @($left -match '^\.local/share/DemucsPS/(models/mine/normalizing\.onnx$|cache/.*\.onnx$)')
$other = @($left -notmatch '^\.local/share/DemucsPS/(models|cache)/')
Assert ($kept.Count -eq 2 -and $other.Count -eq 0) "it leaves the model and its prepared copy when it is uninstalled, and nothing else ($left)"
Unregister-PSResourceRepository -Name Local
