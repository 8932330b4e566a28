BeforeAll { . (Join-Path $PSScriptRoot 'StageFixtures.ps1') }

Describe 'ConvertFrom-ChunkSpectrogram' {
    It 'gives back what went in' {
        $samples = Import-AudioTrack $song | Split-AudioChunk | Select-Object -First 1 | ConvertTo-ChunkSpectrogram | ConvertFrom-ChunkSpectrogram
        $samples | Should -BeOfType 'DemucsPS.Engine.Tracks.SegmentSamples'
        $samples.Frames | Should -Be 343980
        $samples.ExactFrom, $samples.ExactEnd | Should -Be 1536, 342528
        # The song has noise up to Nyquist, and the spectrogram has no bin for that.
        $samples.DifferenceDb | Should -BeLessThan -60
        $samples.GetSample(0, 100000) | Should -BeGreaterThan ($samples.Chunk.GetSample(0, 100000) - 0.001)
        $samples.GetSample(0, 100000) | Should -BeLessThan ($samples.Chunk.GetSample(0, 100000) + 0.001)
        $samples.Samples(1).Length | Should -Be 343980
        $samples | Out-String | Should -Match 'mix\.wav\s+0\s+0:00:00\.0\s+0:00:07\.8\s+-6\d\.\d'
    }

    It 'refuses what is no spectrogram' {
        'x' | ConvertFrom-ChunkSpectrogram -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'InputObjectNotBound,DemucsPS.Cmdlets.ConvertFromChunkSpectrogramCommand'
    }
}
