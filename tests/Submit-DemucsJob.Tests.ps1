# Jobs without a Slurm: folders, plans, results and errors. With a real one they are tested by the console program (SlurmTests.cs).
BeforeAll {
    . (Join-Path $PSScriptRoot 'StageFixtures.ps1')
}

Describe 'Submit-DemucsJob' {
    BeforeEach {
        Push-Location -LiteralPath (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))))
        $path = $env:PATH
        $null = New-Item -ItemType Directory 'music'
        $one = New-NoiseFile (Join-Path (Get-Location).ProviderPath 'music' "a 'quoted' `$(name).wav") 44100 5
        $two = New-NoiseFile (Join-Path (Get-Location).ProviderPath 'music' '-n.wav') 88200 6
        $program = (Get-Process -Id $PID).Path
        $console = Join-Path $root src DemucsPS.Cli bin Release net10.0 "demucsps$($IsWindows ? '.exe' : '')"
    }

    AfterEach {
        $env:PATH = $path
        Pop-Location
    }

    It 'makes a folder that Get-DemucsJob and Receive-DemucsJob read' {
        if (-not (Test-Path $console)) { Set-ItResult -Skipped -Because 'the console program is not built for release'; return }
        $job = Get-Item -LiteralPath 'music' | Submit-DemucsJob -JobPath job -NoSubmit -Program $console -RealTimeFactor 0.5 -Model $small -ArgumentList '--format', 'flac'
        $job.State | Should -Be 'Prepared'
        $job.Tracks | Should -Be 2
        $job.Audio.TotalSeconds | Should -Be 3
        $settings = Get-Content -Raw job/job.json | ConvertFrom-Json
        $settings.program | Should -Be @($console)
        $settings.arguments | Should -Be @('--output', (Join-Path (Get-Location).ProviderPath 'separated'), '--model', $small, '--format', 'flac')
        Get-Content -Raw job/array.sh | Should -Not -Match 'quoted'
        ($job | Get-DemucsJob).JobPath | Should -Be $job.JobPath
        $tracks = Receive-DemucsJob job
        $tracks.SourcePath | Sort-Object | Should -Be (@($one, $two) | Sort-Object)
        $tracks.State | Should -Be 'Missing', 'Missing'
        Receive-DemucsJob job -State Done, Failed | Should -BeNullOrEmpty
        $job | Out-String | Should -Match 'Prepared\s+2\s+0\s+0'
        (Wait-DemucsJob job).State | Should -Be 'Prepared'
        (Stop-DemucsJob job).State | Should -Be 'Prepared'
    }

    It 'shows the plan, and makes nothing, with -WhatIf' {
        Submit-DemucsJob -LiteralPath $one, $two -JobPath job -NoSubmit -Program $program -RealTimeFactor 1 -TaskLength '00:00:01' -WhatIf | Should -BeNullOrEmpty
        Test-Path job | Should -BeFalse
    }

    It 'has the console program refuse what it would not take, before anything is made' {
        if (-not (Test-Path $console)) { Set-ItResult -Skipped -Because 'the console program is not built for release'; return }
        foreach ($case in @(
                @{ Arguments = '--format', 'flag'; Says = "'flag' is not a value for --format" }
                @{ Arguments = , '--nosuch'; Says = "'--nosuch' is no option" }
                @{ Arguments = '--stem', 'flute'; Says = "no stem 'flute'" }
                @{ Arguments = '--shard', '1/2'; Says = "'--shard' cannot be an option of a job's tasks" })) {
            $problem = { Submit-DemucsJob -LiteralPath $one -JobPath job -NoSubmit -Program $console -Model $small -ArgumentList $case.Arguments -RealTimeFactor 1 } | Should -Throw -ErrorId 'ParameterInvalid,DemucsPS.Cmdlets.SubmitDemucsJobCommand' -PassThru
            "$problem" | Should -BeLike "*$($case.Says)*"
        }
        Test-Path job | Should -BeFalse
    }

    It 'submits again only what is missing' {
        $null = Submit-DemucsJob -LiteralPath $one, $two -JobPath job -NoSubmit -Program $program -RealTimeFactor 1
        $line = @{ schema = 1; time = '2026-01-01T00:00:10Z'; status = 'done'; source = $one; track = 'x'; seconds = 2; duration = 1 } | ConvertTo-Json -Compress
        Set-Content job/results/0001/0000/000000-1.0@n1.jsonl $line
        $line = @{ schema = 1; time = '2026-01-01T00:00:20Z'; status = 'failed'; source = $two; track = 'x'; seconds = 2; error = 'StemWriteFailed'; message = 'full' } | ConvertTo-Json -Compress
        Set-Content job/results/0001/0000/000000-1.1@n2.jsonl $line
        $job = Get-DemucsJob job
        $job.State, $job.Done, $job.Failed, $job.RealTimeFactor | Should -Be 'Incomplete', 1, 1, 2
        $job.Failures.Error, $job.Failures.Count, $job.Failures.Nodes | Should -Be 'StemWriteFailed', 1, 'n2'
        $null = Submit-DemucsJob -JobPath job -Retry -NoSubmit
        [IO.File]::ReadAllText((Convert-Path job/submissions/0002/tracks.list)) | Should -Be "$two`0"
    }

    It 'says that Slurm is not here, and what to do' {
        $env:PATH = $TestDrive
        $problem = { Submit-DemucsJob -LiteralPath $one -JobPath job -Program $program } | Should -Throw -ErrorId 'SchedulerNotFound,DemucsPS.Cmdlets.SubmitDemucsJobCommand' -PassThru
        "$problem" | Should -Match '-NoSubmit'
        Test-Path job | Should -BeFalse
        $null = Submit-DemucsJob -LiteralPath $one -JobPath job -Program $program -NoSubmit -RealTimeFactor 1
        $submission = Get-Content -Raw job/submissions/0001/submission.json | ConvertFrom-Json
        $submission.arrays = @(@{ id = '7'; first = 0; count = 1 })
        Set-Content job/submissions/0001/submission.json ($submission | ConvertTo-Json -Depth 5)
        foreach ($command in 'Wait-DemucsJob', 'Stop-DemucsJob') {
            & $command job -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $problem.FullyQualifiedErrorId | Should -BeLike 'SchedulerNotFound,*'
        }
        (Get-DemucsJob job -WarningVariable warned -WarningAction SilentlyContinue).State | Should -Be 'Unknown'
        $warned | Should -Match 'were not found'
    }

    It 'refuses folders that are no jobs, or are not free' {
        Get-DemucsJob missing -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem.FullyQualifiedErrorId | Should -Be 'ClusterJobInvalid,DemucsPS.Cmdlets.GetDemucsJobCommand'
        { Submit-DemucsJob -LiteralPath $one -JobPath 'music' -Program nowhere -NoSubmit } | Should -Throw -ErrorId 'ClusterJobInvalid,*'
        { Submit-DemucsJob -LiteralPath $one -JobPath . -Program $program -NoSubmit } | Should -Throw -ErrorId 'ClusterJobExists,*'
    }
}
