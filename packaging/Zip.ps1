# Archives whose bytes depend on what is in them and on nothing else: files in order, one time for all, rights by what a file is.

# The time that files in packages have: that of the commit, as SOURCE_DATE_EPOCH has it, else the first that zip files know.
function Get-SourceTime {
    $seconds = $env:SOURCE_DATE_EPOCH
    if (-not $seconds) {
        $seconds = git log -1 --format=%ct 2>$null
        $global:LASTEXITCODE = 0
    }
    # Before 1980 zip files know no time.
    [DateTimeOffset]::FromUnixTimeSeconds([Math]::Max([long]($seconds ? $seconds : 0), 315532800))
}

# Which entries of an archive may be run.
function Test-Program([string] $Name) {
    [IO.Path]::GetFileName($Name) -cin 'demucsps', 'createdump'
}

# Writes a zip file of entries, a hashtable from names to contents.
function Write-ZipFile([hashtable] $Entries, [string] $Path) {
    $time = Get-SourceTime
    $names = [string[]]@($Entries.Keys)
    [Array]::Sort($names, [StringComparer]::Ordinal)
    $stream = [IO.File]::Create($Path)
    try {
        $zip = [IO.Compression.ZipArchive]::new($stream, 'Create')
        foreach ($name in $names) {
            $entry = $zip.CreateEntry($name, 'SmallestSize')
            $entry.LastWriteTime = $time
            $entry.ExternalAttributes = ((Test-Program $name) ? 0x81ED : 0x81A4) -shl 16
            $content = $entry.Open()
            $content.Write($Entries[$name], 0, $Entries[$name].Length)
            $content.Dispose()
        }
        $zip.Dispose()
    }
    finally {
        $stream.Dispose()
    }
}

# The files of a folder as entries, below a folder of the given name.
function Get-FolderEntries([string] $Folder, [string] $Under) {
    $entries = [hashtable]::new([StringComparer]::Ordinal)
    foreach ($file in Get-ChildItem -LiteralPath $Folder -Recurse -File -Force) {
        $entries["$Under/" + [IO.Path]::GetRelativePath($Folder, $file.FullName).Replace('\', '/')] = [IO.File]::ReadAllBytes($file.FullName)
    }
    $entries
}

# Writes a package of NuGet's kind anew: its own writers name one part by chance and stamp entries with the clock.
function Repair-Package([string] $Path) {
    $entries = [hashtable]::new([StringComparer]::Ordinal)
    $properties = 'package/services/metadata/core-properties/properties.psmdcp'
    $zip = [IO.Compression.ZipFile]::OpenRead($Path)
    try {
        foreach ($entry in $zip.Entries) {
            $buffer = [IO.MemoryStream]::new()
            $content = $entry.Open()
            $content.CopyTo($buffer)
            $content.Dispose()
            $entries[$entry.FullName -match '\.psmdcp$' ? $properties : $entry.FullName] = $buffer.ToArray()
        }
    }
    finally {
        $zip.Dispose()
    }
    $relations = [Text.Encoding]::UTF8.GetString($entries['_rels/.rels']) -replace '/package/services/metadata/core-properties/[^"]+\.psmdcp', "/$properties"
    $number = @{ Value = 0 }
    $relations = [regex]::Replace($relations, '\bId="[^"]*"', { "Id=`"R$((++$number.Value))`"" })
    $entries['_rels/.rels'] = [Text.UTF8Encoding]::new($true).GetBytes($relations.TrimStart([char]0xFEFF))
    Write-ZipFile $entries $Path
}

# Writes a gzipped tar file of entries.
function Write-TarFile([hashtable] $Entries, [string] $Path) {
    $time = Get-SourceTime
    $names = [string[]]@($Entries.Keys)
    [Array]::Sort($names, [StringComparer]::Ordinal)
    $stream = [IO.Compression.GZipStream]::new([IO.File]::Create($Path), [IO.Compression.CompressionLevel]::SmallestSize)
    $tar = [Formats.Tar.TarWriter]::new([IO.Stream]$stream, [Formats.Tar.TarEntryFormat]::Ustar, $false)
    try {
        foreach ($name in $names) {
            $entry = [Formats.Tar.UstarTarEntry]::new([Formats.Tar.TarEntryType]::RegularFile, $name)
            $entry.ModificationTime = $time
            $entry.Mode = [IO.UnixFileMode]((Test-Program $name) ? 0x1ED : 0x1A4)
            $entry.DataStream = [IO.MemoryStream]::new($Entries[$name])
            $tar.WriteEntry($entry)
        }
    }
    finally {
        $tar.Dispose()
        $stream.Dispose()
    }
}
