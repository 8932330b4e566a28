# The packages of PowerShell's gallery and of NuGet.

# The module as a folder, with the native libraries of the platforms.
function New-ModuleFolder([string] $Folder, [string[]] $Platform, [string] $RepositoryUrl) {
    if (Test-Path $Folder) {
        Remove-Item -Recurse -Force $Folder
    }
    Invoke-Dotnet build src/DemucsPS -c $Configuration -o $Folder "-p:OnnxRuntimePlatforms=$($Platform -join '+')" "-p:RepositoryUrl=$RepositoryUrl" @ReleaseOptions
    Remove-Item (Join-Path $Folder *.pdb), (Join-Path $Folder *.deps.json)
    Get-ChildItem $Folder -Filter DemucsPS.*.xml | Remove-Item
    Copy-Item CHANGELOG.md $Folder

    # What of the manifest is only known here. The files that come on some platforms only are in no list: PSResourceGet leaves out the folders of others, and a list that names missing files is an error.
    $manifest = Join-Path $Folder DemucsPS.psd1
    $platforms = 'win-x64', 'win-arm64', 'linux-x64', 'linux-arm64', 'osx-arm64'
    $files = [string[]]@(Get-ChildItem $Folder -Recurse -File | ForEach-Object { [IO.Path]::GetRelativePath((Convert-Path $Folder), $_.FullName).Replace('\', '/') } | Where-Object { ($_ -split '/')[0] -notin $platforms }) + 'DemucsPS.sha256'
    [Array]::Sort($files, [StringComparer]::Ordinal)
    $text = (Get-Content -Raw $manifest) -replace "`r`n", "`n"
    $text = $text.Replace("    PrivateData          = @{`n", "    FileList             = @(`n$(-join ($files | ForEach-Object { "        '$_'`n" }))    )`n    PrivateData          = @{`n")
    if ($RepositoryUrl) {
        $line = "            ReleaseNotes = "
        $text = $text.Replace($line, "            ProjectUri   = '$RepositoryUrl'`n            IconUri      = '$RepositoryUrl/raw/v$Version/docs/images/icon.png'`n$line")
    }
    [IO.File]::WriteAllText((Convert-Path $manifest), $text)

    # What sha256sum -c reads, on every system; Windows has catalog files besides, which can be signed.
    $sums = Get-ChildItem $Folder -Recurse -File | ForEach-Object { "$((Get-FileHash $_.FullName).Hash.ToLowerInvariant())  $([IO.Path]::GetRelativePath((Convert-Path $Folder), $_.FullName).Replace('\', '/'))" }
    $sums = [string[]]@($sums)
    [Array]::Sort($sums, [StringComparer]::Ordinal)
    [IO.File]::WriteAllText((Join-Path (Convert-Path $Folder) DemucsPS.sha256), ($sums -join "`n") + "`n")
    if (Get-Command New-FileCatalog -ErrorAction Ignore) {
        $null = New-FileCatalog -Path $Folder -CatalogFilePath (Join-Path $Folder DemucsPS.cat) -CatalogVersion 2.0
        if ($Certificate) {
            $null = Set-AuthenticodeSignature (Join-Path $Folder DemucsPS.cat) -Certificate $Certificate
        }
    }
    else {
        Write-Warning 'The module has DemucsPS.sha256 and no catalog file: PowerShell makes and signs those on Windows only.'
    }
    $null = Test-ModuleManifest $manifest
}

# DemucsPS.VERSION.nupkg, as Publish-PSResource -NupkgPath takes it.
function New-GalleryPackage([string] $Output, [string[]] $Platform, [string] $RepositoryUrl) {
    $folder = Join-Path $PSScriptRoot .. output module DemucsPS
    New-ModuleFolder $folder $Platform $RepositoryUrl
    $file = Join-Path $Output "DemucsPS.$Version.nupkg"
    if (Test-Path $file) {
        Remove-Item $file
    }
    Compress-PSResource -Path $folder -DestinationPath $Output
    Repair-Package $file
    $size = (Get-Item $file).Length
    if ($size -ge 150MB) {
        throw "$file has $size bytes; the gallery's users are promised less than 150 MB."
    }
    Get-Item $file
}

# Whether the package source has the .NET of a platform, which compiling for it ahead of time takes.
function Test-Runtime([string] $Name) {
    $null = dotnet restore src/DemucsPS.Cli -r $Name '-p:SelfContained=true' '-p:PublishTrimmed=true' '-p:PublishReadyToRun=true' '-v:q'
    $isThere = $LASTEXITCODE -eq 0
    $global:LASTEXITCODE = 0
    if (-not $isThere) {
        Write-Warning "Nothing is made for ${Name}: the package source has no .NET runtime for it."
    }
    $isThere
}

# demucsps.VERSION.nupkg, which names a package a platform, those packages, and the one for all others, which has no native library and says so.
function New-ToolPackage([string] $Output, [string[]] $Platform, [string] $RepositoryUrl) {
    $pack = 'pack', 'src/DemucsPS.Cli', '-c', $Configuration, '-o', $Output, "-p:RepositoryUrl=$RepositoryUrl", "-p:PackageProjectUrl=$RepositoryUrl"
    $names = @($Platform | Where-Object { Test-Runtime $_ }) + 'any'
    foreach ($name in $names) {
        $options = $name -eq 'any' ? '-p:BringOnnxRuntime=false' : '-p:PublishReadyToRun=true'
        # Neither symbols nor documentation of assemblies: nobody compiles against a tool.
        Invoke-Dotnet @pack -r $name '-p:SelfContained=false' "-p:OnnxRuntimePlatforms=$name" $options '-p:DebugType=none' '-p:PublishDocumentationFiles=false' '-p:PublishReferencesDocumentationFiles=false' @ReleaseOptions
        Repair-Package (Join-Path $Output "demucsps.$name.$Version.nupkg")
        Get-Item (Join-Path $Output "demucsps.$name.$Version.nupkg")
    }
    # The last one is a list of the others, which are made already.
    Invoke-Dotnet @pack "-p:ToolPlatforms=$($names -join '+')" '-p:CreateRidSpecificToolPackages=false' @ReleaseOptions
    Repair-Package (Join-Path $Output "demucsps.$Version.nupkg")
    Get-Item (Join-Path $Output "demucsps.$Version.nupkg")
}

# DemucsPS.Engine.VERSION.nupkg and .snupkg.
function New-LibraryPackage([string] $Output, [string] $RepositoryUrl) {
    Invoke-Dotnet pack src/DemucsPS.Engine -c $Configuration -o $Output "-p:RepositoryUrl=$RepositoryUrl" @ReleaseOptions
    foreach ($extension in 'nupkg', 'snupkg') {
        Repair-Package (Join-Path $Output "DemucsPS.Engine.$Version.$extension")
        Get-Item (Join-Path $Output "DemucsPS.Engine.$Version.$extension")
    }
}
