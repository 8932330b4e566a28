BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    # A sine at full scale in the middle of bin 100.
    $wave = [float[]]@(for ($i = 0; $i -lt 9000; $i++) { [Math]::Sin(2 * [Math]::PI * 100 * $i / 4096) })
    $chunk = [DemucsPS.Engine.Tracks.AudioTrack]::FromSamples('tone', $wave, $wave) | Split-AudioChunk -Length $segment | Select-Object -First 1
}

Describe 'ConvertTo-ChunkSpectrogram' {
    It 'shows levels of bins and frames' {
        $spectrogram = $chunk | ConvertTo-ChunkSpectrogram
        $spectrogram | Should -BeOfType 'DemucsPS.Engine.Tracks.ChunkSpectrogram'
        $spectrogram.Chunk | Should -Be $chunk
        $spectrogram.Bins, $spectrogram.Frames | Should -Be 2048, 8
        $spectrogram.BinWidth | Should -BeGreaterThan 10.76
        $spectrogram.FrameStep * 44100 | Should -Be 1024
        [Math]::Round($spectrogram.MagnitudeDb(0, 100, 3), 2) | Should -Be 0
        $frame = $spectrogram.GetFrame(0, 3)
        $frame | Should -HaveCount 2048
        0..2047 | Sort-Object { $frame[$_] } -Descending | Select-Object -First 1 | Should -Be 100
        $spectrogram.GetBin(1, 100) | Should -HaveCount 8
        $spectrogram.RawTensor().Length | Should -Be (4 * 2048 * 8)
        $spectrogram | Out-String | Should -Match 'tone\s+0\s+0:00:00\.0\s+2048\s+8\s+10\.77\s+23\.2\s+False'
    }

    It 'gives edited copies' {
        $spectrogram = $chunk | ConvertTo-ChunkSpectrogram
        $edited = $spectrogram.WithGain(1000, 1200, -20)
        $edited.IsEdited | Should -BeTrue
        [Math]::Round($edited.MagnitudeDb(0, 100, 3), 2) | Should -Be -20
        [Math]::Round($spectrogram.MagnitudeDb(0, 100, 3), 2) | Should -Be 0
        $silent = $spectrogram.WithTensor([float[]]::new($spectrogram.RawTensor().Length))
        $silent.MagnitudeDb(0, 100, 3) | Should -Be -200
    }

    It 'refuses what is no chunk' {
        1 | ConvertTo-ChunkSpectrogram -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'InputObjectNotBound,DemucsPS.Cmdlets.ConvertToChunkSpectrogramCommand'
    }
}
