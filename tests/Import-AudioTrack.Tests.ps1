BeforeAll { . (Join-Path $PSScriptRoot 'StageFixtures.ps1') }

Describe 'Import-AudioTrack' {
    It 'reads a file' {
        $track = Import-AudioTrack $song
        $track | Should -BeOfType 'DemucsPS.Engine.Tracks.AudioTrack'
        $track.SourcePath | Should -Be $song
        $track.Duration | Should -Be ([timespan]::FromSeconds(20))
        $track.Frames | Should -Be 882000
        $track.SampleRate, $track.Channels, $track.SourceSampleRate, $track.SourceChannels | Should -Be 44100, 2, 44100, 2
        $track.Deviation | Should -BeGreaterThan 0.1
        $track.Samples(1).Length | Should -Be 882000
        [Math]::Abs($track.GetSample(0, 44100)) | Should -BeLessOrEqual $track.Peak
        $track | Out-String | Should -Match 'mix\.wav\s+0:00:20\s+PCM 16 bit, 44100 Hz'
    }

    It 'reads the tags of a file' {
        $path = New-NoiseFile (Join-Path $TestDrive 'tagged.wav') 100 1
        $list = [Text.Encoding]::ASCII.GetBytes('LIST') + [BitConverter]::GetBytes(18) + [Text.Encoding]::ASCII.GetBytes('INFOINAM') + [BitConverter]::GetBytes(6) + [Text.Encoding]::ASCII.GetBytes("Waltz`0")
        $bytes = [IO.File]::ReadAllBytes($path) + $list
        [BitConverter]::GetBytes($bytes.Length - 8).CopyTo($bytes, 4)
        [IO.File]::WriteAllBytes($path, $bytes)
        $track = Import-AudioTrack $path
        $track.Tags.title | Should -Be 'Waltz'
        $track.Tags['TITLE'] | Should -Be 'Waltz'
        (Import-AudioTrack $song).Tags.Count | Should -Be 0
    }

    It 'exposes no samples as a property' {
        $types = [DemucsPS.Engine.Tracks.AudioTrack].Assembly.GetExportedTypes() | Where-Object Namespace -eq 'DemucsPS.Engine.Tracks'
        $types | Should -Not -BeNullOrEmpty
        $types.GetProperties().PropertyType | ForEach-Object { "$_" } | Should -Not -Match 'float\[\]|Memory|Span\['
    }

    It 'takes names as they are, patterns and files' {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive 'music'))
        $one = New-NoiseFile (Join-Path $PWD 'take [1].wav') 100 1
        $null = New-NoiseFile (Join-Path $PWD 'b.wav') 100 2
        (Import-AudioTrack 'take [1].wav').SourcePath | Should -Be $one
        (Import-AudioTrack -LiteralPath 'take [1].wav').SourcePath | Should -Be $one
        (Get-Item -LiteralPath 'take [1].wav' | Import-AudioTrack).SourcePath | Should -Be $one
        Import-AudioTrack *.wav | Should -HaveCount 2
        Get-ChildItem | Import-AudioTrack | Should -HaveCount 2
        Pop-Location
    }

    It 'takes folders with brackets in their names as they are, in patterns, too' {
        $music = Join-Path $TestDrive 'records'
        $album = Join-Path $music '[2020] Album'
        $null = New-Item -ItemType Directory $music
        # A pattern with brackets matches this one.
        $other = New-NoiseFile (Join-Path $music '2 Album' 'other.wav') 100 1
        $one = New-NoiseFile (Join-Path $album 'one.wav') 100 2
        $two = New-NoiseFile (Join-Path $album 'disc [2]' 'two.wav') 100 3
        Push-Location -LiteralPath $music
        (Import-AudioTrack './[2020] Album').SourcePath | Should -Be $one
        (Import-AudioTrack '[2020] Album/').SourcePath | Should -Be $one
        (Import-AudioTrack '[2020] Album/one.wav').SourcePath | Should -Be $one
        (Import-AudioTrack '[2020] Album/*.wav').SourcePath | Should -Be $one
        (Import-AudioTrack "$album/disc [2]/t*").SourcePath | Should -Be $two
        (Import-AudioTrack '*Album/d*/*.wav').SourcePath | Should -Be $two
        (Import-AudioTrack '`[2020`] Album/disc [2]/*.wav').SourcePath | Should -Be $two
        (Import-AudioTrack '`[2020`] Album/one.wav').SourcePath | Should -Be $one
        (Import-AudioTrack '[23] Album/*.wav').SourcePath | Should -Be $other
        (Get-Item -LiteralPath '[2020] Album' | Import-AudioTrack).SourcePath | Should -Be $one
        (Import-AudioTrack -LiteralPath '[2020] Album').SourcePath | Should -Be $one
        Set-Location -LiteralPath $album
        (Import-AudioTrack *.wav).SourcePath | Should -Be $one
        (Import-AudioTrack 'disc [2]').SourcePath | Should -Be $two
        (Import-AudioTrack '../[2020] Album/disc [2]/*').SourcePath | Should -Be $two
        Set-Location Env:
        (Import-AudioTrack "$album/*.wav").SourcePath | Should -Be $one
        Pop-Location
    }

    It 'says what a pattern without files, or one that is none, is' {
        Import-AudioTrack (Join-Path $TestDrive 'no[ne'), (Join-Path $TestDrive '[none]*'), (Join-Path $TestDrive 'none') -ErrorVariable problems -ErrorAction SilentlyContinue
        $problems.FullyQualifiedErrorId | Should -Be (@('AudioTrackNotFound,DemucsPS.Cmdlets.ImportAudioTrackCommand') * 3)
        "$($problems[0])" | Should -Match '-LiteralPath for names with brackets'
        "$($problems[2])" | Should -Not -Match 'LiteralPath'
    }

    It 'gives every pair of channels as a track of its own' {
        $path = New-NoiseFile (Join-Path $TestDrive 'film.wav') 300 5
        $bytes = [IO.File]::ReadAllBytes($path)
        # The same bytes as 100 frames of six channels.
        [BitConverter]::GetBytes([int16]6).CopyTo($bytes, 22)
        [BitConverter]::GetBytes([int16]12).CopyTo($bytes, 32)
        [IO.File]::WriteAllBytes($path, $bytes)
        $tracks = Import-AudioTrack $path -ChannelLayout Pairs
        $tracks.Name | Should -Be 'film (FL FR)', 'film (FC)', 'film (LFE)', 'film (BL BR)'
        $tracks.IsMono | Should -Be $false, $true, $true, $false
        $tracks.Frames | Should -Be 100, 100, 100, 100
        $tracks[3].GetSample(0, 0) | Should -Be ([BitConverter]::ToInt16($bytes, 44 + 8) / 32768)
        $tracks | Out-String | Should -Match 'film \(BL BR\) of film\.wav'
        (Import-AudioTrack $path -WarningVariable warned -WarningAction SilentlyContinue).Name | Should -Be 'film'
        $warned | Should -Match 'has 6 channels'
        Import-AudioTrack $path -StreamIndex 1 -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem.FullyQualifiedErrorId | Should -Be 'ParameterInvalid,DemucsPS.Cmdlets.ImportAudioTrackCommand'
        { Import-AudioTrack missing.wav -StreamIndex -1 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.ImportAudioTrackCommand'
    }

    It 'shows what it does, and takes that away, whether or not the file can be read' {
        $good = New-NoiseFile (Join-Path $TestDrive 'good.wav') 100000 6
        $cut = New-NoiseFile (Join-Path $TestDrive 'cut.wav') 100000 6
        # As 32-bit floats, of which the last is not a number: an error that comes after some has been read.
        $bytes = [IO.File]::ReadAllBytes($cut)
        [BitConverter]::GetBytes([int16]3).CopyTo($bytes, 20)
        [BitConverter]::GetBytes([int]352800).CopyTo($bytes, 28)
        [BitConverter]::GetBytes([int16]8).CopyTo($bytes, 32)
        [BitConverter]::GetBytes([int16]32).CopyTo($bytes, 34)
        [Array]::Clear($bytes, 44, $bytes.Length - 44)
        [BitConverter]::GetBytes([float]::NaN).CopyTo($bytes, $bytes.Length - 4)
        [IO.File]::WriteAllBytes($cut, $bytes)
        foreach ($file in $good, $cut) {
            $shell = [powershell]::Create()
            $null = $shell.AddScript("Import-Module '$root/output/DemucsPS'; Import-AudioTrack '$file' -ErrorAction Stop")
            try { $null = $shell.Invoke() } catch { "$_" | Should -Match 'cut\.wav' }
            $shell.HadErrors | Should -Be ($file -eq $cut)
            $records = $shell.Streams.Progress
            $shell.Dispose()
            $tops = @($records | Where-Object ParentActivityId -EQ -1)
            $tops.Activity | Select-Object -Unique | Should -Be 'Reading audio'
            foreach ($id in 1, 2) {
                $of = @($records | Where-Object ActivityId -EQ $id)
                $of.Count | Should -BeGreaterThan 1
                $of[-1].RecordType | Should -Be 'Completed'
            }
        }
    }

    It 'goes on after a file that cannot be read' {
        $empty = New-Item (Join-Path $TestDrive 'empty.wav')
        $text = New-Item (Join-Path $TestDrive 'silence.wav')
        $null = New-NoiseFile $text 0 1
        $tracks = $empty.FullName, 'missing.wav', $text.FullName, 'Env:PATH', $song | Import-AudioTrack -ErrorVariable problems -ErrorAction SilentlyContinue
        $tracks.SourcePath | Should -Be $song
        $problems.FullyQualifiedErrorId | Should -Be @('AudioTrackCorrupt', 'AudioTrackNotFound', 'AudioTrackCorrupt', 'AudioTrackNotFound' | ForEach-Object { "$_,DemucsPS.Cmdlets.ImportAudioTrackCommand" })
        $problems[1].TargetObject | Should -Be 'missing.wav'
        { Import-AudioTrack missing.wav -ErrorAction Stop } | Should -Throw -ErrorId 'AudioTrackNotFound,DemucsPS.Cmdlets.ImportAudioTrackCommand'
    }

    It 'says more when asked' {
        Import-AudioTrack $song -Verbose 4>&1 | Select-Object -First 1 | Should -Match 'mix\.wav: PCM 16 bit, 2 channels at 44100 Hz; as a track 0:00:20, 7\.1 MB'
    }
}
