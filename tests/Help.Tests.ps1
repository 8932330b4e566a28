# The help against the commands: what it says of parameters is compared with the commands themselves, and every line of code in it is run as printed.
BeforeDiscovery {
    $root = Split-Path $PSScriptRoot
    Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
    $commands = Get-Command -Module DemucsPS

    $documented = foreach ($command in $commands) {
        @{ name = $command.Name; command = $command }
    }
    $parameters = foreach ($command in $commands) {
        foreach ($name in $command.Parameters.Keys | Where-Object { $_ -notin [Management.Automation.Cmdlet]::CommonParameters }) {
            @{ name = $command.Name; parameter = $name; command = $command }
        }
    }
    $examples = foreach ($command in $commands) {
        $number = 0
        foreach ($example in (Get-Help $command.Name).examples.example) {
            @{ name = $command.Name; number = ++$number; code = $example.code }
        }
    }

    # In an about topic code is what is indented by eight columns or more. What one section shows belongs together and is run in one session. A text that
    # ends in 'as NAME:' says that the code below it is a file.
    $topics = Get-ChildItem (Join-Path $root 'output' 'DemucsPS' 'en-US' 'about_*.help.txt')
    $walks = foreach ($topic in $topics) {
        $walk = $null
        $file = $null
        foreach ($line in [IO.File]::ReadAllLines($topic)) {
            switch -Regex ($line) {
                '^\S' {
                    $walk = @{ topic = $topic.Name -replace '\.help\.txt$'; section = $line; script = [Text.StringBuilder]::new(); files = @{} }
                    $walk
                    $file = $null
                }
                '^ {8}' {
                    $target = $file ? $walk.files[$file] : $walk.script
                    $null = $target.AppendLine($line.Substring(8))
                }
                '^ {1,7}\S' {
                    $file = $null
                    if ($line -match '\bas (\S+):$') {
                        $file = $Matches[1]
                        $walk.files[$file] = [Text.StringBuilder]::new()
                    }
                }
            }
        }
    }
    $walks = $walks | Where-Object { $_.script.Length -gt 0 }
    $errorIds = [Enum]::GetNames([DemucsPS.Engine.DemucsError]) | ForEach-Object { @{ id = $_ } }
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'NoModels.ps1')
    $root = Split-Path $PSScriptRoot
    $module = Join-Path $root 'output' 'DemucsPS'
    Import-Module $module -Force
    $allHelp = @{}
    foreach ($command in Get-Command -Module DemucsPS) {
        $allHelp[$command.Name] = Get-Help $command.Name -Full
    }
    $models = Join-Path $root 'tests' 'fixtures' 'reference' 'models'

    # The first seconds of the song. Ten are two chunks, one is quick.
    function New-Clip([int] $Seconds) {
        $length = 44 + 44100 * 4 * $Seconds
        $clip = [byte[]]::new($length)
        $stream = [IO.File]::OpenRead((Join-Path $root 'samples' 'mix.wav'))
        $stream.ReadExactly($clip)
        $stream.Dispose()
        [BitConverter]::GetBytes([uint32]($length - 8)).CopyTo($clip, 4)
        [BitConverter]::GetBytes([uint32]($length - 44)).CopyTo($clip, 40)
        , $clip
    }
    $long = New-Clip 10
    $short = New-Clip 1
    # Something else than that: the second of two seconds.
    $later = [byte[]]($short[0..43] + (New-Clip 2)[-($short.Length - 44)..-1])

    # A model in htdemucs's contract that only multiplies, for the many runs.
    $quick = Join-Path $root 'tests' 'fixtures' 'quick.onnx'

    # A wheel with a library of this platform that is whole, and has no execution provider.
    $wheel = Join-Path $TestDrive 'openvino.whl'
    $native = Get-ChildItem (Join-Path $module "*-$("$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)".ToLowerInvariant())") -Recurse -Include *SkiaSharp.dll, *SkiaSharp.so, *SkiaSharp.dylib |
        Where-Object { $_.Directory.Name -match ($IsWindows ? '^win' : $IsMacOS ? '^osx' : '^linux') } | Select-Object -First 1
    $library = [IO.File]::ReadAllBytes($native.FullName)
    $archive = [IO.Compression.ZipFile]::Open($wheel, 'Create')
    $name = "ep/libonnxruntime_providers_openvino_plugin$($native.Extension)"
    $stream = $archive.CreateEntry($name).Open()
    $stream.Write($library)
    $stream.Dispose()
    $record = [Convert]::ToBase64String([Security.Cryptography.SHA256]::HashData($library)).TrimEnd('=').Replace('+', '-').Replace('/', '_')
    $stream = $archive.CreateEntry('ep-1.dist-info/RECORD').Open()
    $stream.Write([Text.Encoding]::UTF8.GetBytes("$name,sha256=$record,$($library.Length)`n"))
    $stream.Dispose()
    $archive.Dispose()

    # A folder with the files that the help speaks of.
    function New-Workplace {
        $folder = New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N')))
        $null = New-Item -ItemType Directory (Join-Path $folder 'album')
        [IO.File]::WriteAllBytes((Join-Path $folder 'song.wav'), $long)
        foreach ($name in 'song [live].wav', 'album/one.wav', 'album/two.wav') {
            [IO.File]::WriteAllBytes((Join-Path $folder $name), $short)
        }
        foreach ($set in 'true-stems', 'musdb18hq/test/One', 'musdb18hq/test/Two') {
            $null = New-Item -ItemType Directory (Join-Path $folder $set)
            [IO.File]::WriteAllBytes((Join-Path $folder $set 'vocals.wav'), $short)
            [IO.File]::WriteAllBytes((Join-Path $folder $set 'drums.wav'), $later)
        }
        [IO.File]::WriteAllBytes((Join-Path $folder 'musdb18hq/test/One/mixture.wav'), $short)
        [IO.File]::WriteAllBytes((Join-Path $folder 'musdb18hq/test/Two/mixture.wav'), $later)
        Copy-Item $quick (Join-Path $folder 'htdemucs.onnx')
        Copy-Item (Join-Path $root 'tests' 'fixtures' 'official' 'models' 'little.safetensors') (Join-Path $folder 'htdemucs.safetensors')
        Copy-Item $quick (Join-Path $folder 'htdemucs-vocals.onnx')
        Copy-Item (Join-Path $models 'htdemucs-tiny.onnx') (Join-Path $folder 'second.onnx')
        Copy-Item $wheel (Join-Path $folder 'onnxruntime_ep_openvino-1.8.1.whl')
        $folder.FullName
    }

    # Runs code in a session of its own, as if typed at a prompt in that folder. Whatever it shows is formatted, as the prompt would.
    function Invoke-Printed([string] $Code, [string] $Folder) {
        $path = $env:PSModulePath
        $noModels = $env:DEMUCSPS_MODELS
        $noProviders = $env:DEMUCSPS_PROVIDERS
        $shell = [powershell]::Create()
        try {
            $env:DEMUCSPS_MODELS = Join-Path $Folder 'models'
            $env:DEMUCSPS_PROVIDERS = Join-Path $Folder 'providers'
            $env:PSModulePath = (Split-Path $module) + [IO.Path]::PathSeparator + $path
            $null = $shell.AddScript('param($folder) Set-Location -LiteralPath $folder; Import-Module DemucsPS').AddArgument($Folder)
            $null = $shell.Invoke()
            $shell.Commands.Clear()
            $null = $shell.AddScript($Code).AddCommand('Out-String')
            $output = $shell.Invoke()
            [pscustomobject]@{
                Output   = -join $output
                # Errors that the code asks to be silent about are no failure of it.
                Errors   = @($shell.Streams.Error | ForEach-Object { "$($_.FullyQualifiedErrorId): $_" })
                Warnings = @($shell.Streams.Warning)
                Said     = @($shell.Streams.Information)
            }
        }
        finally {
            $env:PSModulePath = $path
            $env:DEMUCSPS_MODELS = $noModels
            $env:DEMUCSPS_PROVIDERS = $noProviders
            $shell.Dispose()
        }
    }
}

Describe 'Get-Help -Online' {
    It 'opens the page of the cmdlet where the help was built with an address' -Skip:(-not $IsLinux) {
        # The module with other help, without native libraries.
        $copy = New-Item -ItemType Directory (Join-Path $TestDrive 'DemucsPS')
        Copy-Item (Join-Path $module '*.*') $copy -Exclude *.pdb
        $newest = { Get-ChildItem (Join-Path $root $args[0]) | Sort-Object LastWriteTime | Select-Object -Last 1 }
        $builder = & $newest 'build/DemucsPS.HelpBuilder/bin/*/net10.0/DemucsPS.HelpBuilder.dll'
        $references = & $newest 'src/DemucsPS/obj/*/DemucsPS.HelpReferences.txt'
        $help = Join-Path $copy 'en-US' 'DemucsPS.dll-Help.xml'
        Remove-Item -Recurse -ErrorAction Ignore (Split-Path $help)
        & dotnet $builder build (Join-Path $root 'docs' 'help') (Join-Path $copy 'DemucsPS.dll') $references $help 'https://example.org/docs/help' | Should -BeNullOrEmpty
        $LASTEXITCODE | Should -Be 0

        # PowerShell has the desktop open it.
        $opened = Join-Path $TestDrive 'opened'
        $opener = New-Item -ItemType File (Join-Path $TestDrive 'bin' 'xdg-open') -Force -Value "#!/bin/sh`nprintf '%s' ""`$1"" >'$opened.part'; mv '$opened.part' '$opened'`n"
        & chmod +x $opener
        $path = $env:PATH
        try {
            $pwsh = Get-Command pwsh -CommandType Application -TotalCount 1
            $env:PATH = "$(Split-Path $opener)$([IO.Path]::PathSeparator)$path"
            & $pwsh -NoProfile -NonInteractive -Command "Import-Module '$copy'; Get-Help Show-StemPlayer -Online; for (`$i = 0; `$i -lt 200 -and -not (Test-Path '$opened'); `$i++) { Start-Sleep -Milliseconds 50 }"
        }
        finally {
            $env:PATH = $path
        }
        Get-Content -Raw $opened | Should -BeExactly 'https://example.org/docs/help/Show-StemPlayer.md'
    }
}

Describe 'Parameters' {
    It 'mean the same by the same name in every cmdlet' {
        Import-Module (Join-Path (Split-Path $PSScriptRoot) 'output' 'DemucsPS') -Force
        $common = [Management.Automation.Cmdlet]::CommonParameters + [Management.Automation.Cmdlet]::OptionalCommonParameters
        $names = Get-Command -Module DemucsPS | ForEach-Object { $_.Parameters.Values } | Where-Object Name -NotIn $common | Group-Object Name
        $names.Count | Should -BeGreaterThan 20
        # A chunk is a chunk whatever it is of; names are no objects.
        $kind = { ($_.HasElementType ? $_.GetElementType() : $_).Namespace -eq 'DemucsPS.Engine.Tracks' ? 'an object of a stage' : "$_" }
        $names | ForEach-Object { "$($_.Name): $(($_.Group.ParameterType | ForEach-Object $kind | Select-Object -Unique) -join ', ')" } | Should -Not -Match ', '
    }
}

Describe 'Errors' {
    It 'advise parameters that there are' {
        Import-Module (Join-Path (Split-Path $PSScriptRoot) 'output' 'DemucsPS') -Force
        $parameters = (Get-Command -Module DemucsPS).Parameters.Keys | Sort-Object -Unique
        $toRecord = (Get-Command Invoke-DemucsSeparation).ImplementingType.Assembly.GetType('DemucsPS.EngineErrors').GetMethod('ToRecord')
        foreach ($remedy in [Enum]::GetValues([DemucsPS.Engine.Remedy])) {
            $exception = [DemucsPS.Engine.DemucsException]::new('StemExists', 'A fault.', $null, $null)
            [DemucsPS.Engine.DemucsException].GetProperty('Remedies').SetValue($exception, [DemucsPS.Engine.Remedy[]]@($remedy))
            $record = $toRecord.Invoke($null, @($exception, $null))
            "$record" | Should -Match '^A fault\. .*-[A-Z].*\.$'
            [regex]::Matches("$record", '(?<![\w])-(\w+)') | ForEach-Object { $parameters | Should -Contain $_.Groups[1].Value }
        }
    }
}

Describe 'The help of <name>' -ForEach $documented {
    BeforeAll {
        $help = $allHelp[$name]
        $reflected = @($command.Parameters.Keys | Where-Object { $_ -notin [Management.Automation.Cmdlet]::CommonParameters })
    }

    It 'comes from the file' {
        $command.HelpFile | Should -BeLike '*DemucsPS.dll-Help.xml'
        # What PowerShell makes up where it has no file has no description.
        $help.description | Should -Not -BeNullOrEmpty
        $help.synopsis | Should -Not -Match '^\s*$|\[-'
    }

    It 'has every parameter and no other' {
        $help.parameters.parameter.name | Sort-Object | Should -Be ($reflected | Sort-Object)
    }

    It 'has the syntax of the command' {
        $sets = @($command.ParameterSets | ForEach-Object {
                ($_.Parameters | Where-Object Name -NotIn ([Management.Automation.Cmdlet]::CommonParameters) | ForEach-Object {
                    "$($_.Name)|$($_.Position -lt 0 ? 'named' : $_.Position)|$($_.IsMandatory)|$($_.ParameterType.Name)"
                } | Sort-Object) -join "`n"
            } | Sort-Object)
        $shown = @($help.syntax.syntaxItem | ForEach-Object {
                ($_.parameter | ForEach-Object {
                    "$($_.name)|$($_.position)|$($_.required)|$($_.parameterValue ? $_.parameterValue : 'SwitchParameter')"
                } | Sort-Object) -join "`n"
            } | Sort-Object)
        $shown | Should -Be $sets
    }

    It 'has inputs, outputs, notes, links and two examples or more' {
        $help.inputTypes.inputType.type.name | Should -Not -BeNullOrEmpty
        $help.returnValues.returnValue.type.name | Should -Not -BeNullOrEmpty
        foreach ($type in $command.OutputType.Name) {
            $help.returnValues.returnValue.type.name | Should -Contain $type
        }
        ($help.alertSet | Out-String).Trim() | Should -Not -BeNullOrEmpty
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        $help.relatedLinks.navigationLink.linkText | Should -Contain 'about_DemucsPS'
    }

    It 'links to help that exists' {
        foreach ($link in $help.relatedLinks.navigationLink.linkText | Where-Object { $_ -match '-|^about_Demucs' }) {
            Get-Help $link | Should -HaveCount 1 -Because $link
        }
    }
}

Describe 'The help of <name> -<parameter>' -ForEach $parameters {
    It 'agrees with the command' {
        $help = $allHelp[$name].parameters.parameter | Where-Object name -EQ $parameter
        $help | Should -HaveCount 1
        ($help.description | Out-String).Trim().Length | Should -BeGreaterThan 20

        $reflected = $command.Parameters[$parameter]
        $sets = @($reflected.ParameterSets.Values)
        # Attributes are the same in all sets here; a difference would have to be said in words.
        $help.required | Should -Be "$($sets[0].IsMandatory)"
        $help.position | Should -Be ($sets[0].Position -lt 0 ? 'named' : "$($sets[0].Position)")
        $ways = @(if ($sets.ValueFromPipeline -contains $true) { 'ByValue' }) + @(if ($sets.ValueFromPipelineByPropertyName -contains $true) { 'ByPropertyName' })
        $help.pipelineInput | Should -Be ($ways ? "true ($($ways -join ', '))" : 'false')
        $help.aliases | Should -Be ($reflected.Aliases.Count ? $reflected.Aliases -join ', ' : 'none')
        $help.type.name | Should -Be $reflected.ParameterType.Name

        $property = $command.ImplementingType.GetProperty($parameter)
        $wildcards = $property -and $property.GetCustomAttributes([Management.Automation.SupportsWildcardsAttribute], $true)
        $help.globbing | Should -Be "$([bool]$wildcards)"

        # A default that depends on something has words in brackets after its value.
        $value = $property ? $property.GetValue([Activator]::CreateInstance($command.ImplementingType)) : $false
        $default = [string]::IsNullOrEmpty("$value") ? 'None' : "$value"
        # A blank at an end is seen only in quotation marks.
        if ($default -ne $default.Trim()) { $default = "'$default'" }
        $help.defaultValue -replace ' \(.*\)$' | Should -Be $default
    }
}

Describe 'Example <number> of <name>' -ForEach $examples {
    It 'runs as printed' {
        $code | Should -Match ($allHelp.Keys -join '|')
        foreach ($line in $code -split '\r?\n') {
            # Wider ones would be broken in a window of 80 columns.
            $line.Length | Should -BeLessOrEqual 75
        }
        $run = Invoke-Printed $code (New-Workplace)
        $run.Errors | Should -BeNullOrEmpty
        if ($code -notmatch '-WhatIf') {
            $run.Output.Trim() | Should -Not -BeNullOrEmpty
        }
    }
}

Describe '<_.Name>' -ForEach $topics {
    It 'has lines for a window of 80 columns and the usual sections' {
        $lines = [IO.File]::ReadAllLines($_)
        $lines | Where-Object { $_.Length -gt 80 -or $_ -match "\t|\s$" } | Should -BeNullOrEmpty
        $lines[0] | Should -Be 'TOPIC'
        $lines[1].Trim() | Should -Be ($_.Name -replace '\.help\.txt$')
        foreach ($section in 'SHORT DESCRIPTION', 'LONG DESCRIPTION', 'SEE ALSO') {
            $lines | Should -Contain $section
        }
    }

    It 'is found by Get-Help, with its short description' {
        $help = Get-Help ($_.Name -replace '\.help\.txt$')
        "$help" | Should -Match '^TOPIC'
        $help.Synopsis | Should -Not -BeNullOrEmpty
    }
}

Describe 'The walk through <topic>: <section>' -ForEach $walks {
    It 'runs as printed' {
        $folder = New-Workplace
        foreach ($file in $files.Keys) {
            [IO.File]::WriteAllText((Join-Path $folder $file), $files[$file].ToString())
        }
        $run = Invoke-Printed $script.ToString() $folder
        $run.Errors | Should -BeNullOrEmpty
        "$($run.Output)$($run.Said)".Trim() | Should -Not -BeNullOrEmpty
        if ($script.ToString() -match 'Invoke-Pester') {
            "$($run.Said)" | Should -Match 'Failed: 0'
        }
    }
}

Describe 'about_DemucsPS' {
    It 'has the error id <id> with a remedy' -ForEach $errorIds {
        $text = [IO.File]::ReadAllText((Join-Path $module 'en-US' 'about_DemucsPS.help.txt')) -replace '\r'
        $text | Should -Match "(?m)^    $id\n      \S.{20}"
    }

    It 'says what the exit codes are' {
        $folder = New-Workplace
        $strict = Join-Path $folder 'strict.ps1'
        $lenient = Join-Path $folder 'lenient.ps1'
        Set-Content $strict "Import-Module '$module'; `$ErrorActionPreference = 'Stop'; Invoke-DemucsSeparation missing.wav; Invoke-DemucsSeparation song.wav"
        Set-Content $lenient "Import-Module '$module'; Invoke-DemucsSeparation missing.wav"
        Push-Location -LiteralPath $folder
        try {
            # Not this process's path, which is dotnet where PowerShell is a .NET tool.
            $pwsh = Get-Command pwsh -CommandType Application -TotalCount 1
            $said = & $pwsh -NoProfile -NonInteractive -File $strict *>&1
            $LASTEXITCODE | Should -Be 1
            "$said" | Should -Match 'missing\.wav'
            Test-Path separated | Should -BeFalse
            $said = & $pwsh -NoProfile -NonInteractive -File $lenient *>&1
            $LASTEXITCODE | Should -Be 0
            "$said" | Should -Match 'missing\.wav'
        }
        finally {
            Pop-Location
        }
    }
}
