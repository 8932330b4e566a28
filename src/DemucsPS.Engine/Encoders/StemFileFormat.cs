namespace DemucsPS.Engine.Encoders;

/// <summary>What kind of file stems are written as. All but <see cref="Wav"/> are encoded by ffmpeg.</summary>
public enum StemFileFormat
{
    /// <summary>WAV: 16 or 24-bit integers, or 32-bit floats.</summary>
    Wav,

    /// <summary>FLAC: 16 or 24 bits, lossless.</summary>
    Flac,

    /// <summary>MP3, by bit rate or by quality.</summary>
    Mp3,

    /// <summary>AAC in an .m4a file, by bit rate.</summary>
    Aac,

    /// <summary>Opus in an .opus file, by bit rate; always 48 kHz.</summary>
    Opus,

    /// <summary>Apple Lossless in an .m4a file: 16 or 24 bits.</summary>
    Alac,

    /// <summary>One .stem.mp4 file (Native Instruments Stems): the mix and four stems as AAC, for DJ software.</summary>
    StemMp4,
}
