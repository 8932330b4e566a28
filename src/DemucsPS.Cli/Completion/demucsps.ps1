# Completion of demucsps for PowerShell: demucsps completion pwsh | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName demucsps, demucsps.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    Set-StrictMode -Off

    $words, $last = @(), $null
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        $extent = $element.Extent
        if ($extent.StartOffset -ge $cursorPosition) {
            break
        }
        $last = $element
        # What is in quotes as it is written: nothing is expanded or run.
        $words += $extent.EndOffset -gt $cursorPosition ? $extent.Text.Substring(0, $cursorPosition - $extent.StartOffset) : $element.PSObject.Properties['Value'] ? $element.Value : $extent.Text
    }
    if (-not $last -or $last.Extent.EndOffset -lt $cursorPosition) {
        $words, $last = ($words + ''), $null
    }
    $exitCode, $encoding = $global:LASTEXITCODE, [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = [System.Text.UTF8Encoding]::new()
        $lines = @(& $commandAst.GetCommandName() complete @words 2>$null)
    }
    finally {
        [Console]::OutputEncoding = $encoding
        $global:LASTEXITCODE = $exitCode
    }
    if (-not $lines) {
        return
    }
    # Of a list without quotes PowerShell replaces what is behind the last comma.
    $done = $last -and -not $last.PSObject.Properties['Value'] ? $words[-1].LastIndexOf([char]',') + 1 : 0
    foreach ($line in $lines | Select-Object -SkipLast 1) {
        $value, $about = $line -split "`t", 2
        $text = $value.Substring($done)
        if ($text -match '[^\w./+=:%,\\-]') {
            $text = "'" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($text) + "'"
        }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', ($about ? $about : $value))
    }
    if ($lines[-1] -like ':f*') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete) | Where-Object { $lines[-1] -notlike ':folders*' -or $_.ResultType -eq 'ProviderContainer' }
    }
}
