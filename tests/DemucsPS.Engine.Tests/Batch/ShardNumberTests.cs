using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Tests.Batch;

public sealed class ShardNumberTests
{
    [Theory]
    [InlineData("3/10", "", 3, 10)]
    [InlineData("1/1", "", 1, 1)]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=10", 1, 10)]
    [InlineData(
        "auto",
        "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=10 SLURM_ARRAY_TASK_COUNT=10 SLURM_ARRAY_TASK_STEP=1",
        7,
        10
    )]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=5", 3, 5)]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=5 SLURM_ARRAY_TASK_STEP=2", 3, 5)]
    [InlineData("AUTO", "SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_MIN=4 SLURM_ARRAY_TASK_MAX=4 SLURM_ARRAY_TASK_COUNT=1", 1, 1)]
    [InlineData("auto/8", "JOB_COMPLETION_INDEX=7", 8, 8)]
    [InlineData("auto", "AWS_BATCH_JOB_ARRAY_INDEX=2 AWS_BATCH_JOB_ARRAY_SIZE=5", 3, 5)]
    [InlineData("auto/5", "AWS_BATCH_JOB_ARRAY_INDEX=2", 3, 5)]
    public void A_share_is_given_or_taken_from_the_scheduler(string text, string variables, int index, int count) =>
        Assert.Equal(new ShardNumber(index, count), Parse(text, variables));

    [Theory]
    [InlineData("0/3", "", "There is no share 0 of 3")]
    [InlineData("4/3", "", "There is no share 4 of 3")]
    [InlineData("1/0", "", "There is no share")]
    [InlineData("1", "", "Write a share as 3/10")]
    [InlineData("-1/3", "", "Write a share as 3/10")]
    [InlineData("1/2/3", "", "Write a share as 3/10")]
    [InlineData("auto/x", "", "Write a share as 3/10")]
    [InlineData("auto", "", "auto needs a scheduler's array")]
    [InlineData("auto", "JOB_COMPLETION_INDEX=7", "auto/10")]
    [InlineData("auto/7", "JOB_COMPLETION_INDEX=7", "counted from 0")]
    [InlineData("auto", "AWS_BATCH_JOB_ARRAY_INDEX=7", "auto/10")]
    [InlineData("auto/9", "AWS_BATCH_JOB_ARRAY_INDEX=2 AWS_BATCH_JOB_ARRAY_SIZE=5", "Use auto")]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=7", "SLURM_ARRAY_TASK_MIN is not")]
    [InlineData(
        "auto",
        "SLURM_ARRAY_TASK_ID=8 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_COUNT=3",
        "not evenly spaced"
    )]
    [InlineData(
        "auto",
        "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=3",
        "not evenly spaced"
    )]
    [InlineData(
        "auto/10",
        "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=7 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=1",
        "$SLURM_ARRAY_TASK_ID/10"
    )]
    [InlineData("auto", "SLURM_ARRAY_TASK_ID=x", "not a whole number")]
    public void What_is_no_share_is_said_to_be_none(string text, string variables, string says)
    {
        DemucsException e = Assert.Throws<DemucsException>(() => Parse(text, variables));
        Assert.Equal((DemucsError.ParameterInvalid, EngineParameter.Shard), (e.Error, e.Parameter));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    private static ShardNumber Parse(string text, string variables)
    {
        Dictionary<string, string> set = variables
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(v => v.Split('='))
            .ToDictionary(v => v[0], v => v[1]);
        return ShardNumber.Parse(text, name => set.GetValueOrDefault(name));
    }
}
