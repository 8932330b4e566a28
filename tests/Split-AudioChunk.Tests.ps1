BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    $track = New-NoiseTrack 20000 1
}

Describe 'Split-AudioChunk' {
    It 'cuts a track as models take it' {
        $chunks = Import-AudioTrack $song | Split-AudioChunk
        $chunks | Should -HaveCount 3
        $chunks | Should -BeOfType 'DemucsPS.Engine.Tracks.AudioChunk'
        $chunks.Index | Should -Be 0, 1, 2
        $chunks.Start | Should -Be 0, 326781, 653562
        # An array has a Length of its own.
        $chunks.ForEach{ $_.Length } | Should -Be 343980, 343980, 228438
        $chunks[1].StartTime.TotalSeconds | Should -Be 7.41
        $chunks[1].Duration.TotalSeconds | Should -Be 7.8
        $chunks[2] | Out-String | Should -Match 'mix\.wav\s+2\s+3\s+0:00:14\.8\s+0:00:05\.1\s+0\.05'
        $chunks[1].GetSample(0, 7) | Should -Be $chunks[1].Track.GetSample(0, 326788)
    }

    It 'takes other overlaps and lengths' {
        @($track | Split-AudioChunk -Overlap 0.5 -Length $segment).Start | Should -Be 0, 4096, 8192, 12288, 16384
        Split-AudioChunk $track, $track -Overlap 0 -Length $segment | Should -HaveCount 6
    }

    It 'refuses <why>' -ForEach @(
        @{ why = 'a negative overlap'; arguments = @{ Overlap = -0.1 } }
        @{ why = 'an overlap of nearly 1'; arguments = @{ Overlap = 0.991 } }
        @{ why = 'an overlap that is no number'; arguments = @{ Overlap = [double]::NaN } }
        @{ why = 'a length that is too short'; arguments = @{ Length = 4095 } }
        @{ why = 'a negative length'; arguments = @{ Length = -1 } }
    ) {
        { $track | Split-AudioChunk @arguments } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.SplitAudioChunkCommand'
        # Before the first track comes.
        { @() | Split-AudioChunk @arguments } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.SplitAudioChunkCommand'
    }

    It 'refuses what is no track' {
        $song | Split-AudioChunk -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -Be 'InputObjectNotBound,DemucsPS.Cmdlets.SplitAudioChunkCommand'
        { Split-AudioChunk -Track @() } | Should -Throw -ErrorId 'ParameterArgumentValidationError,DemucsPS.Cmdlets.SplitAudioChunkCommand'
        { Split-AudioChunk -Track $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,DemucsPS.Cmdlets.SplitAudioChunkCommand'
    }

    It 'stops when no more chunks are wanted' {
        ($track | Split-AudioChunk -Length $segment | Select-Object -First 1).Index | Should -Be 0
    }
}
