@{
    # The only place where the version is written; assemblies and packages take it from here.
    ModuleVersion        = '0.1.0'
    RootModule           = 'DemucsPS.dll'
    GUID                 = '8f0c6a0e-5c1d-4d53-9a39-3b1c7f8a2e64'
    Author               = 'The DemucsPS authors'
    CompanyName          = 'DemucsPS'
    Copyright            = '(c) The DemucsPS authors. MIT license.'
    Description          = 'Separates music into stems (drums, bass, other, vocals) with Demucs v4 ONNX models: streaming, in constant memory, exact.'
    # .NET 10, which the engine needs, comes with PowerShell 7.6.
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    CmdletsToExport      = @(
        'Import-AudioTrack'
        'Split-AudioChunk'
        'ConvertTo-ChunkSpectrogram'
        'ConvertFrom-ChunkSpectrogram'
        'Invoke-DemucsChunk'
        'Join-StemChunk'
        'Export-Stem'
        'Invoke-DemucsSeparation'
        'Get-DemucsModel'
        'Install-DemucsModel'
        'Test-DemucsModel'
        'Remove-DemucsModel'
        'ConvertTo-OnnxModel'
        'Test-DemucsSeparation'
        'Show-StemPlayer'
        'Export-Spectrogram'
        'Show-Spectrogram'
        'Measure-StemQuality'
        'Compare-DemucsModel'
        'Submit-DemucsJob'
        'Get-DemucsJob'
        'Wait-DemucsJob'
        'Stop-DemucsJob'
        'Receive-DemucsJob'
        'Get-DemucsDevice'
        'Install-DemucsProvider'
        'Remove-DemucsProvider'
    )
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    FormatsToProcess     = @('DemucsPS.Format.ps1xml')
    PrivateData          = @{
        PSData = @{
            Tags         = @('audio', 'music', 'stems', 'demucs', 'source-separation', 'onnx', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            LicenseUri   = 'https://opensource.org/license/mit'
            # Addresses of the project, and the list of files, are filled in by build.ps1 Pack. There is no HelpInfoUri: help comes with the module, and Update-Help would fail at an address without any.
            ReleaseNotes = 'CHANGELOG.md, in the module, says what is new.'
        }
    }
}
