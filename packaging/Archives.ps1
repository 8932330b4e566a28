# The console program with its .NET, which needs nothing installed, and what package managers want to know of them.

# Folders of one platform each, then archives, then SHA256SUMS and manifests.
function New-Archive([string] $Output, [string[]] $Platform, [string] $RepositoryUrl) {
    $work = Join-Path $PSScriptRoot .. output publish
    $sums = [ordered]@{}
    # What an earlier version left is in no list any more.
    Get-ChildItem $Output | Remove-Item -Recurse
    foreach ($name in $Platform | Where-Object { Test-Runtime $_ }) {
        $folder = Join-Path $work $name
        if (Test-Path $folder) {
            Remove-Item -Recurse -Force $folder
        }
        # Trimmed are those assemblies of .NET and of packages that say that they can be; DemucsPS's own and their libraries stay whole, and JSON is still written by reflection.
        Invoke-Dotnet publish src/DemucsPS.Cli -c $Configuration -r $name --self-contained -o $folder "-p:OnnxRuntimePlatforms=$name" '-p:PublishTrimmed=true' '-p:TrimMode=partial' '-p:SuppressTrimAnalysisWarnings=true' `
            '-p:JsonSerializerIsReflectionEnabledByDefault=true' '-p:PublishReadyToRun=true' '-p:DebugType=none' @ReleaseOptions
        Get-ChildItem $folder -Recurse -Include *.pdb, *.xml | Remove-Item
        Copy-Item LICENSE, THIRD-PARTY-NOTICES.md, CHANGELOG.md $folder
        # .NET's own notices, from the package that its files are from.
        $packages = ((dotnet nuget locals global-packages --list) -replace '^[^:]+: ', '').Trim()
        $runtime = Get-Content -Raw (Join-Path $folder demucsps.runtimeconfig.json) | ConvertFrom-Json
        $source = Join-Path $packages "microsoft.netcore.app.runtime.$name" ($runtime.runtimeOptions.includedFrameworks | Where-Object name -EQ Microsoft.NETCore.App).version
        $null = New-Item -ItemType Directory -Force (Join-Path $folder licenses Microsoft.NETCore.App)
        Copy-Item (Join-Path $source LICENSE.TXT), (Join-Path $source THIRD-PARTY-NOTICES.TXT) (Join-Path $folder licenses Microsoft.NETCore.App)

        $archive = Join-Path $Output ("demucsps-$Version-$name" + ($name -like 'win-*' ? '.zip' : '.tar.gz'))
        $entries = Get-FolderEntries (Convert-Path $folder) "demucsps-$Version-$name"
        if ($name -like 'win-*') {
            Write-ZipFile $entries $archive
        }
        else {
            Write-TarFile $entries $archive
        }
        $sums[[IO.Path]::GetFileName($archive)] = (Get-FileHash $archive).Hash.ToLowerInvariant()
        Get-Item $archive
    }
    [IO.File]::WriteAllText((Join-Path $Output SHA256SUMS), -join ($sums.GetEnumerator() | ForEach-Object { "$($_.Value)  $($_.Key)`n" }))
    Get-Item (Join-Path $Output SHA256SUMS)
    if ($RepositoryUrl) {
        New-Manifest $Output $sums $RepositoryUrl
    }
}

# What winget, Homebrew and makepkg read, from the templates beside this file. One whose archive was not made is left out.
function New-Manifest([string] $Output, [Collections.IDictionary] $Sums, [string] $RepositoryUrl) {
    $templates = Join-Path $PSScriptRoot manifests
    foreach ($template in Get-ChildItem $templates -Recurse -File) {
        $text = [regex]::Replace([IO.File]::ReadAllText($template.FullName), '\{\{(\S+?)\}\}', {
                param($match)
                $word = $match.Groups[1].Value
                switch -Regex ($word) {
                    '^version$' { $Version }
                    '^repository$' { $RepositoryUrl }
                    '^date$' { (Get-SourceTime).ToString('yyyy-MM-dd', [cultureinfo]::InvariantCulture) }
                    '^sha256:(.+)$' {
                        $name = $Sums.Keys | Where-Object { $_ -like "demucsps-$Version-$($Matches[1]).*" }
                        $name ? $Sums[$name] : 'MISSING'
                    }
                    default { throw "$($template.Name) has {{$word}}, which nothing is filled in for." }
                }
            })
        # Of a platform that is a part of its own that part goes; where nothing is left, or it is no such part, so does the file.
        $part = '(?m)^ *#<part>\n(?:(?! *#</part>).*\n)*? *#</part>\n'
        $hasParts = $text -match $part
        $text = [regex]::Replace($text, $part, { param($match) $match.Value.Contains('MISSING') ? '' : $match.Value })
        if ($text.Contains('MISSING') -or ($hasParts -and $text -notmatch $part)) {
            Write-Warning "No $($template.Name): an archive that it names was not made."
            continue
        }
        $text = [regex]::Replace($text, '(?m)^ *#</?part>\n', '')
        $file = Join-Path $Output manifests ([IO.Path]::GetRelativePath($templates, $template.FullName))
        $null = New-Item -ItemType Directory -Force (Split-Path $file)
        [IO.File]::WriteAllText($file, $text)
        Get-Item $file
    }
}
