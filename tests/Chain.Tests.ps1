# The stages together, against Invoke-DemucsSeparation.
BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    Push-Location -LiteralPath $TestDrive
    $null = Invoke-DemucsSeparation $song -Model $tiny -BitDepth 32 -DestinationPath song
    $one = New-NoiseFile (Join-Path $TestDrive 'one.wav') 50000 1
    $two = New-NoiseFile (Join-Path $TestDrive 'two.wav') 30000 2
    $null = $one, $two | Invoke-DemucsSeparation -Model $small -BitDepth 32 -DestinationPath noise
}

AfterAll { Pop-Location }

Describe 'The chain of stages' {
    It 'gives the bytes of Invoke-DemucsSeparation, with <_> at once' -ForEach 1, 2 {
        $before = Get-NativeObjectCount
        Import-AudioTrack $song | Split-AudioChunk | Invoke-DemucsChunk -Model $tiny -ThrottleLimit $_ | Join-StemChunk | Export-Stem "chain$_" -BitDepth 32
        Get-Hashes "chain$_" | Should -Be (Get-Hashes song)
        Get-NativeObjectCount | Should -Be $before
    }

    It 'gives them through spectrograms and shuffled chunks' {
        Import-AudioTrack $song | Split-AudioChunk | ConvertTo-ChunkSpectrogram | Invoke-DemucsChunk -Model $tiny | Get-Random -Shuffle -SetSeed 3 | Join-StemChunk | Export-Stem shuffled -BitDepth 32
        Get-Hashes shuffled | Should -Be (Get-Hashes song)
    }

    It 'gives them for two tracks interleaved, with <_> at once' -ForEach 1, 2 {
        $chunks = $one, $two | Import-AudioTrack | Split-AudioChunk -Length $segment | Sort-Object Index -Stable
        $chunks[1].Track | Should -Not -Be $chunks[0].Track
        $chunks | Invoke-DemucsChunk -Model $small -ThrottleLimit $_ | Join-StemChunk | Export-Stem "interleaved$_" -BitDepth 32
        Get-Hashes "interleaved$_" | Should -Be (Get-Hashes noise)
    }

    It 'gives them from runspaces side by side' {
        $one, $two | ForEach-Object -Parallel {
            Import-Module "$using:root/output/DemucsPS" -Force
            $_ | Import-AudioTrack | Split-AudioChunk -Length $using:segment | Invoke-DemucsChunk -Model $using:small | Join-StemChunk | Export-Stem "$using:TestDrive/parallel" -BitDepth 32
        }
        Get-Hashes parallel | Should -Be (Get-Hashes noise)
    }

    It 'leaves nothing half done when it is cut short, and works after two more imports' {
        $before = Get-NativeObjectCount
        Import-AudioTrack $one, $two | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model $small -ThrottleLimit 2 | Join-StemChunk | Export-Stem cut -BitDepth 32 -PassThru | Select-Object -First 1 | Should -HaveCount 1
        Get-NativeObjectCount | Should -Be $before
        Get-Hashes cut | Should -Be (Get-Hashes noise | Where-Object { $_ -match 'one' })
        $partial = { Import-AudioTrack $one, 'missing.wav' -ErrorAction Stop | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model $small | Join-StemChunk | Export-Stem stopped -BitDepth 32 }
        $partial | Should -Throw -ErrorId 'AudioTrackNotFound,DemucsPS.Cmdlets.ImportAudioTrackCommand'
        Get-NativeObjectCount | Should -Be $before
        Get-ChildItem -Recurse -Filter *.partial | Should -BeNullOrEmpty
        Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
        Import-Module (Join-Path $root 'output' 'DemucsPS') -Force
        $one, $two | Import-AudioTrack | Split-AudioChunk -Length $segment | Invoke-DemucsChunk -Model $small -OutVariable kept | Tee-Object -Variable teed | Join-StemChunk | Export-Stem again -BitDepth 32
        Get-Hashes again | Should -Be (Get-Hashes noise)
        $kept.Count, $teed.Count | Should -Be 44, 44
    }
}

Describe 'The module' {
    It 'says what type every stage gives' {
        foreach ($command in Get-Command -Module DemucsPS) {
            $command.OutputType | Should -Not -BeNullOrEmpty -Because $command.Name
        }
    }
}
