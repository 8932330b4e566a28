BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
    $track = New-NoiseTrack 40000 1
    $chunks = $track | Split-AudioChunk -Length $segment
    $stemChunks = $chunks | Invoke-DemucsChunk -Model $small
}

Describe 'Join-StemChunk' {
    It 'joins each stem as soon as it is whole' {
        $seen = [Collections.Generic.List[string]]::new()
        $stemChunks | ForEach-Object { $seen.Add('in'); $_ } | Join-StemChunk | ForEach-Object { $seen.Add($_.StemName) }
        $seen | Select-Object -Last 7 | Should -Be 'drums', 'in', 'bass', 'in', 'other', 'in', 'vocals'
    }

    It 'gives whole stems' {
        $stems = Join-StemChunk $stemChunks
        $stems | Should -BeOfType 'DemucsPS.Engine.Tracks.Stem'
        $stems.StemName | Should -Be 'drums', 'bass', 'other', 'vocals'
        $stems[0].Track | Should -Be $track
        $stems[0].SourcePath, $stems[0].ModelName, $stems[0].Frames, $stems[0].SampleRate | Should -Be 'noise', 'small', 40000, 44100
        $stems[0].MissingChunks | Should -BeNullOrEmpty
        # The model multiplies what is around the mean.
        [Math]::Abs($stems[2].GetSample(0, 30000) - 3 * $track.GetSample(0, 30000) + 2 * $track.Mean) | Should -BeLessThan 1e-5
        $stems[3].Samples(1).Length | Should -Be 40000
        $stems[1] | Out-String | Should -Match 'noise\s+bass\s+small\s+0:00:00\s+6\.\d'
    }

    It 'accounts for each stem by itself' {
        $stems = $stemChunks | Where-Object StemName -EQ vocals | Join-StemChunk -ErrorVariable problem
        $stems.StemName | Should -Be 'vocals'
        $problem | Should -BeNullOrEmpty
    }

    It 'names what is missing, and joins the rest' {
        $stems = $stemChunks | Where-Object { $_.StemName -ne 'bass' -or $_.Chunk.Index -notin 1, 3, 4, 5 } | Join-StemChunk -ErrorVariable problem -ErrorAction SilentlyContinue
        $stems.StemName | Should -Be 'drums', 'other', 'vocals'
        $problem | Should -HaveCount 1
        $problem.FullyQualifiedErrorId | Should -Be 'StemChunkMissing,DemucsPS.Cmdlets.JoinStemChunkCommand'
        $problem[0].TargetObject | Should -Be $track
        "$problem" | Should -Match "'bass' of 'noise' .* lacks chunks 1, 3-5 \(of 0 to 5\)"
        { $stemChunks | Select-Object -First 5 | Join-StemChunk -ErrorAction Stop } | Should -Throw -ErrorId 'StemChunkMissing,DemucsPS.Cmdlets.JoinStemChunkCommand'
    }

    It 'names what is doubled' {
        $stems = @($stemChunks[0..3]) + $stemChunks[2] + @($stemChunks[4..23]) | Join-StemChunk -ErrorVariable problem -ErrorAction SilentlyContinue
        $stems.StemName | Should -Be 'drums', 'bass', 'vocals'
        $problem.FullyQualifiedErrorId | Should -Be 'StemChunkDoubled,DemucsPS.Cmdlets.JoinStemChunkCommand'
        "$problem" | Should -Match "chunk 0 of the stem 'other' of 'noise'"
    }

    It 'joins what there is by force, and says what is not' {
        $some = $stemChunks | Where-Object { $_.StemName -eq 'drums' -and $_.Chunk.Index -ne 2 }
        $stem = $some + $some[0] | Join-StemChunk -Force -WarningVariable warnings -WarningAction SilentlyContinue
        $stem.MissingChunks | Should -Be 2
        $stem.GetSample(0, 20000) | Should -Be 0
        [Math]::Abs($stem.GetSample(0, 30000) - $track.GetSample(0, 30000)) | Should -BeLessThan 1e-5
        $warnings | Should -HaveCount 2
        "$warnings" | Should -Match "chunk 0 of the stem 'drums' .* more than once.*lacks chunk 2 \(of 0 to 5\)"
        $stem | Out-String | Should -Match 'drums\s+small\s+0:00:00\s+\S+\s+2'
    }

    It 'takes a chunk that was redone with another model' {
        $other = Join-Path $TestDrive 'other.onnx'
        Copy-Item $small $other
        $again = $chunks[2] | Invoke-DemucsChunk -Model $other
        $stems = @($stemChunks | Where-Object { $_.Chunk.Index -ne 2 }) + $again | Join-StemChunk
        $stems | Should -HaveCount 4
        $stems.ModelName | Should -Be 'small+other', 'small+other', 'small+other', 'small+other'
        $stems[3].Samples(0).ToArray() | Should -Be ($stemChunks | Join-StemChunk)[3].Samples(0).ToArray()
    }

    It 'gives nothing for nothing' {
        @() | Join-StemChunk | Should -BeNullOrEmpty
        { Join-StemChunk -Chunk @() } | Should -Throw -ErrorId 'ParameterArgumentValidationError,DemucsPS.Cmdlets.JoinStemChunkCommand'
        $chunks[0] | Join-StemChunk -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'InputObjectNotBound,DemucsPS.Cmdlets.JoinStemChunkCommand'
        { $stemChunks | Join-StemChunk -TransitionPower 4.5 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.JoinStemChunkCommand'
        { $stemChunks | Join-StemChunk -TransitionPower 0.5 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.JoinStemChunkCommand'
    }
}
