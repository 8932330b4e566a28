"use strict";
(() => {
  const $ = id => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  // Of sound that is fetched while it plays: what is requested at once (a second and a half), what is held of each track, and how far ahead it is given to the browser.
  const partFrames = 2 ** 16;
  const heldParts = 8;
  const aheadSeconds = 4;
  const silence = -40;
  const seekDelay = 0.03;
  const fade = 0.004;
  const stemNames = [...new Set(data.variants.flatMap(v => v.stems.map(s => s.name)))];
  const tracks = [...(data.mix ? [data.mix] : []), ...data.variants.flatMap(v => v.stems)];
  const audible = tracks.filter(t => t.block || t.url);
  const state = {
    hear: 0, // the number of a separation; -1 for the mix
    separation: 0,
    volume: 1,
    loop: false,
    region: null, // seconds [from, to]; null for all
    view: [0, data.duration],
    lanes: new Map(stemNames.map(name => [name, { solo: false, mute: startsMuted(name), gain: 0 }])),
  };

  function startsMuted(name) {
    return data.variants.some(v => v.stems.some(s => s.name === name && s.muted));
  }

  function bytesOf(id) {
    const block = $(id);
    const text = block.textContent;
    // What was read is not needed twice.
    block.textContent = "";
    if (Uint8Array.fromBase64)
      return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++)
      bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  function formatTime(seconds) {
    const tenths = Math.round(Math.max(0, seconds) * 10);
    const whole = Math.floor(tenths / 10), h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
    return `${h > 0 ? `${h}:${String(m).padStart(2, "0")}` : m}:${String(s).padStart(2, "0")}.${tenths % 10}`;
  }

  function say(sentence) {
    $("status").textContent = sentence;
  }

  // What is heard

  function laneOf(track) {
    return track === data.mix ? null : state.lanes.get(track.name);
  }

  function isHeard(name) {
    const lane = state.lanes.get(name);
    return [...state.lanes.values()].some(l => l.solo) ? lane.solo : !lane.mute;
  }

  /** The factor of a track in a remix of its separation, whichever is heard. */
  function factorOf(track, separation) {
    const lane = laneOf(track);
    return !isHeard(track.name) || lane.gain <= silence ? 0 : track.gain * data.variants[separation].level * 10 ** (lane.gain / 20);
  }

  /** The factor of a track in what is heard now. */
  function heardFactor(track) {
    if (track === data.mix)
      return state.hear === -1 ? track.gain : 0;
    const separation = data.variants.findIndex(v => v.stems.includes(track));
    return state.hear === separation ? factorOf(track, separation) : 0;
  }

  /** Between frames browsers would make samples up, which costs treble. */
  function wholeFrames(seconds) {
    return Math.round(seconds * data.sampleRate) / data.sampleRate;
  }

  /** The first frame, by a context's clock, that all can begin at. */
  function nextFrame(context) {
    return Math.ceil((context.currentTime + seekDelay) * data.sampleRate);
  }

  /** Plays samples by one clock: all tracks begin at the same sample, and stay there. */
  class ClockedSound {
    constructor() {
      this.gains = new Map();
      this.sources = new Set();
      this.context = null;
      this.gate = null;
      this.offset = 0;
      this.startedAt = 0;
      this.scheduledTo = Infinity; // in the time of the context
      this.loop = null; // of what plays; the region may change meanwhile, while it is drawn
      this.playing = false;
      this.end = data.duration;
      this.ended = false;
      this.canBoost = true;
    }

    async play(from) {
      if (!this.context) {
        this.context = new AudioContext({ sampleRate: data.sampleRate });
        this.output = new GainNode(this.context, { gain: state.volume });
        this.output.connect(this.context.destination);
      }
      await this.context.resume();
      await this.begin(from);
    }

    /** Makes a gate and nodes of the tracks' own for what begins, so that what played before can fade. */
    openGate(at) {
      this.gate = new GainNode(this.context, { gain: 0 });
      this.gate.gain.setValueAtTime(0, at);
      this.gate.gain.linearRampToValueAtTime(1, at + fade);
      this.gate.connect(this.output);
      for (const track of audible) {
        const gain = new GainNode(this.context, { gain: heardFactor(track) });
        gain.connect(this.gate);
        this.gains.set(track, gain);
      }
    }

    schedule(track, at, from, options) {
      const source = new AudioBufferSourceNode(this.context, options);
      source.connect(this.gains.get(track));
      source.start(at, from);
      source.addEventListener("ended", () => this.sources.delete(source), { once: true });
      this.sources.add(source);
    }

    stop() {
      if (!this.playing)
        return;
      this.playing = false;
      if (!this.gate)
        return;
      const now = this.context.currentTime;
      this.gate.gain.cancelScheduledValues(now);
      this.gate.gain.setValueAtTime(this.gate.gain.value, now);
      this.gate.gain.linearRampToValueAtTime(0, now + fade);
      for (const source of this.sources)
        source.stop(now + 2 * fade);
      this.sources.clear();
      this.gate = null;
    }

    pause() {
      const at = this.position();
      this.stop();
      this.offset = at;
    }

    seek(to) {
      if (this.playing)
        return this.begin(to);
      this.offset = to;
    }

    /** A loop that begins, changes or ends. */
    reloop(at) {
      if (this.playing)
        this.begin(within(at));
    }

    position() {
      if (!this.playing)
        return this.offset;
      const at = this.offset + Math.max(0, Math.min(this.context.currentTime, this.scheduledTo) - this.startedAt);
      const [from, to] = this.loop ?? [0, Infinity];
      return this.loop && at >= to ? from + (at - from) % (to - from) : Math.min(at, data.duration);
    }

    level() {
      if (!this.context)
        return;
      const now = this.context.currentTime;
      this.output.gain.setTargetAtTime(state.volume, now, 0.005);
      for (const [track, gain] of this.gains)
        gain.gain.setTargetAtTime(heardFactor(track), now, 0.005);
    }
  }

  /** Plays tracks that are decoded whole. */
  class DecodedSound extends ClockedSound {
    constructor() {
      super();
      this.buffers = new Map();
      this.canRender = true;
    }

    async prepare() {
      const decoder = new OfflineAudioContext(2, 1, data.sampleRate);
      for (const [i, track] of audible.entries()) {
        say(`Decoding ${track.name} (${i + 1} of ${audible.length}) …`);
        let bytes;
        if (track.block) {
          bytes = bytesOf(track.block).buffer;
        } else {
          const answer = await fetch(track.url);
          if (!answer.ok)
            throw new Error(`the server answered ${answer.status}`);
          bytes = await answer.arrayBuffer();
        }
        this.buffers.set(track, await decoder.decodeAudioData(bytes));
      }
      // All are as long as the longest, so that a loop means the same to each.
      const frames = Math.max(...[...this.buffers.values()].map(b => b.length));
      for (const [track, buffer] of this.buffers) {
        if (buffer.length === frames)
          continue;
        const padded = new AudioBuffer({ numberOfChannels: buffer.numberOfChannels, length: frames, sampleRate: buffer.sampleRate });
        for (let channel = 0; channel < buffer.numberOfChannels; channel++)
          padded.copyToChannel(buffer.getChannelData(channel), channel);
        this.buffers.set(track, padded);
      }
    }

    begin(from) {
      this.stop();
      const [loopStart, loopEnd] = loopRange().map(wholeFrames);
      this.offset = wholeFrames(from);
      this.startedAt = nextFrame(this.context) / data.sampleRate;
      this.openGate(this.startedAt);
      for (const [track, buffer] of this.buffers)
        this.schedule(track, this.startedAt, this.offset, { buffer, loop: state.loop, loopStart, loopEnd });
      this.loop = state.loop ? [loopStart, loopEnd] : null;
      this.playing = true;
    }
  }

  /** Plays tracks of any length, of which the server gives parts: some seconds are held, and the parts are put one behind the other to the sample. */
  class FetchedSound extends ClockedSound {
    constructor() {
      super();
      this.frames = Math.round(data.duration * data.sampleRate);
      this.parts = new Map(audible.map(track => [track, new Map()]));
      this.turn = 0;
      this.canRender = false;
    }

    async prepare() {
      say("Opening the files …");
      await Promise.all(audible.map(track => this.part(track, 0)));
    }

    /** The samples of a part, left and right by turns; the parts that were asked for last are held. */
    part(track, number) {
      const held = this.parts.get(track), part = held.get(number) ?? this.fetchPart(track, number);
      held.delete(number);
      held.set(number, part);
      if (held.size > heldParts)
        held.delete(held.keys().next().value);
      part.catch(() => held.delete(number));
      return part;
    }

    async fetchPart(track, number) {
      const first = number * partFrames, frames = Math.min(partFrames, this.frames - first);
      try {
        const answer = await fetch(track.url, { headers: { Range: `bytes=${first * 8}-${(first + frames) * 8 - 1}` } });
        if (answer.status !== 206)
          throw new Error(`the server answered ${answer.status}`);
        return new Float32Array(await answer.arrayBuffer());
      } catch (error) {
        throw new Error(`'${track.file}' cannot be read: ${error.message}. Make sure that the server is running and the file has not moved`, { cause: error });
      }
    }

    /** Where the frames are that play from one on: one stretch, or several where a loop begins anew; none at the end. */
    stretches(from) {
      const [start, end] = this.loop ? this.loop.map(seconds => Math.round(seconds * data.sampleRate)) : [0, this.frames], found = [];
      for (let at = from, left = partFrames; left > 0 && (this.loop || at < end);) {
        if (at >= end)
          at = start;
        const count = Math.min(left, end - at);
        found.push({ at, count });
        at += count;
        left -= count;
      }
      return found;
    }

    async bufferOf(track, stretches) {
      const buffer = new AudioBuffer({ numberOfChannels: 2, length: stretches.reduce((sum, { count }) => sum + count, 0), sampleRate: data.sampleRate });
      const left = buffer.getChannelData(0), right = buffer.getChannelData(1);
      let to = 0;
      for (const { at, count } of stretches) {
        for (let frame = at; frame < at + count;) {
          const number = Math.floor(frame / partFrames), samples = await this.part(track, number), stop = Math.min(at + count, (number + 1) * partFrames);
          for (let i = 2 * (frame - number * partFrames); frame < stop; frame++, i += 2) {
            left[to] = samples[i];
            right[to++] = samples[i + 1];
          }
        }
      }
      return buffer;
    }

    /** Done when it is known when it plays, or somebody has gone elsewhere meanwhile. */
    async begin(from) {
      this.stop();
      this.loop = state.loop ? loopRange().map(wholeFrames) : null;
      this.offset = from;
      this.startedAt = Infinity;
      this.playing = true;
      const turn = ++this.turn, stretches = this.stretches(Math.round(from * data.sampleRate)), buffers = await this.buffersOf(turn, stretches);
      if (buffers)
        this.goOn(turn, stretches, buffers);
    }

    /** What all tracks have there; null at the end, where somebody has gone elsewhere meanwhile, or where it cannot be had. */
    async buffersOf(turn, stretches) {
      if (stretches.length === 0)
        return null;
      let buffers = null;
      try {
        buffers = await Promise.all(audible.map(async track => [track, await this.bufferOf(track, stretches)]));
      } catch (error) {
        if (this.plays(turn)) {
          pause();
          say(`${error.message}.`);
        }
      }
      return this.plays(turn) ? buffers : null;
    }

    plays(turn) {
      return turn === this.turn && this.playing;
    }

    async goOn(turn, stretches, buffers) {
      const rate = data.sampleRate;
      let frame = -1;
      while (buffers) {
        // What comes too late would begin at once, each track by itself: then all go on together a moment later.
        if (frame < (this.context.currentTime + seekDelay / 2) * rate) {
          frame = nextFrame(this.context);
          this.offset = stretches[0].at / rate;
          this.startedAt = frame / rate;
          this.openGate(this.startedAt);
        }
        for (const [track, buffer] of buffers)
          this.schedule(track, frame / rate, 0, { buffer });
        frame += buffers[0][1].length;
        this.scheduledTo = frame / rate;
        const { at, count } = stretches.at(-1);
        stretches = this.stretches(at + count);
        buffers = await this.buffersOf(turn, stretches);
        while (this.plays(turn) && frame / rate - this.context.currentTime > aheadSeconds)
          await new Promise(resolve => setTimeout(resolve, 100));
        if (!this.plays(turn))
          return;
      }
    }
  }

  /** Plays files while they are read, each by a player of the browser's, and keeps these in step. */
  class StreamedSound {
    constructor() {
      this.players = new Map();
      this.leader = null;
      this.loop = null;
      this.playing = false;
      this.offset = 0;
      this.canBoost = false;
      this.canRender = false;
    }

    async prepare() {
      const ready = audible.map(track => new Promise((resolve, reject) => {
        const player = new Audio();
        player.preload = "auto";
        player.preservesPitch = false;
        player.addEventListener("loadedmetadata", resolve, { once: true });
        player.addEventListener("error", () => reject(new Error(`'${track.file}' cannot be played. Make sure that it has not moved since this page was created`)), { once: true });
        player.src = track.url;
        this.players.set(track, player);
      }));
      say("Opening the files …");
      await Promise.all(ready);
      // The longest, since the others' clocks stand still once they have ended.
      this.leader = [...this.players.values()].reduce((longest, player) => player.duration > longest.duration ? player : longest);
      this.level();
      setInterval(() => this.keepStep(), 100);
    }

    get end() {
      return this.leader.duration;
    }

    get ended() {
      return this.leader.ended && !this.leader.seeking && !this.loop;
    }

    async play(from) {
      this.reloop();
      await this.place(from);
      this.playing = true;
      await this.start(from);
    }

    /** Starts those that have something there: a player that has ended would begin at its start. */
    async start(at) {
      await Promise.all([...this.players.values()].filter(player => player.duration > at + 0.01).map(player => player.play()));
    }

    async place(at) {
      this.offset = at;
      await Promise.all([...this.players.values()].map(player => new Promise(resolve => {
        const to = Math.min(at, player.duration || at);
        if (Math.abs(player.currentTime - to) < 0.0005 && !player.seeking)
          return resolve();
        player.addEventListener("seeked", resolve, { once: true });
        player.currentTime = to;
      })));
    }

    pause() {
      this.offset = this.position();
      this.playing = false;
      for (const player of this.players.values()) {
        player.pause();
        player.playbackRate = 1;
      }
    }

    async seek(to) {
      if (!this.playing) {
        this.offset = to;
        return;
      }
      for (const player of this.players.values())
        player.pause();
      await this.place(to);
      if (this.playing)
        await this.start(to);
    }

    reloop() {
      this.loop = state.loop ? loopRange() : null;
    }

    position() {
      return this.playing ? this.leader.currentTime : this.offset;
    }

    /** Those that are before or behind the longest run slower or faster until they are not; those that are far off jump. */
    keepStep() {
      if (!this.playing || this.leader.seeking)
        return;
      if (this.loop && (this.leader.currentTime >= this.loop[1] - 0.05 || this.leader.ended)) {
        this.seek(this.loop[0]);
        return;
      }
      for (const player of this.players.values()) {
        if (player === this.leader || player.seeking || player.ended || this.leader.currentTime >= player.duration)
          continue;
        const lead = player.currentTime - this.leader.currentTime;
        if (Math.abs(lead) > 0.25)
          player.currentTime = this.leader.currentTime;
        else
          player.playbackRate = Math.abs(lead) < 0.002 ? 1 : Math.min(1.05, Math.max(0.95, 1 - lead));
      }
    }

    level() {
      for (const [track, player] of this.players) {
        const factor = heardFactor(track) * state.volume;
        player.muted = factor === 0;
        player.volume = Math.min(1, factor);
      }
    }
  }

  const sound = data.audio === "linked" ? new StreamedSound() : data.audio === "parts" ? new FetchedSound() : new DecodedSound();
  let isReady = false;

  // Playing

  function loopRange() {
    return state.region ?? [0, data.duration];
  }

  /** Where in the track it goes on from a place. What plays behind a loop's end never comes back into it, so that is the loop's start. */
  function within(at) {
    const [from, to] = loopRange();
    return state.loop && at >= to ? from : Math.min(data.duration, Math.max(0, at));
  }

  async function play() {
    if (!isReady || sound.playing)
      return;
    const at = sound.position();
    try {
      await sound.play(within(at >= sound.end - 0.01 ? 0 : at));
    } catch (error) {
      say(`Playback failed: ${error.message}.`);
    }
    showPlaying();
  }

  function pause() {
    sound.pause();
    showPlaying();
  }

  function seek(to) {
    const done = sound.seek(within(to));
    showPosition(true);
    return done;
  }

  function setLoop(on, region = state.region) {
    const at = sound.position();
    state.loop = on;
    state.region = region && region[1] - region[0] > 0.02 ? region : null;
    sound.reloop(at);
    if (on && (at < loopRange()[0] || at >= loopRange()[1]))
      seek(loopRange()[0]);
    $("loop").setAttribute("aria-pressed", on);
    say(!on ? "Loop off." : state.region ? `Loop from ${formatTime(state.region[0])} to ${formatTime(state.region[1])}.` : "Looping the whole track.");
    showRegion();
  }

  function hear(what) {
    if (what === -1 && !audible.includes(data.mix))
      return;
    state.hear = what;
    if (what >= 0)
      state.separation = what;
    showHeard();
  }

  function toggle(name, what) {
    const lane = state.lanes.get(name);
    lane[what] = !lane[what];
    showHeard();
  }

  function setGain(name, gain) {
    state.lanes.get(name).gain = gain;
    showHeard();
  }

  function reset() {
    for (const [name, lane] of state.lanes)
      Object.assign(lane, { solo: false, mute: startsMuted(name), gain: 0 });
    showHeard();
    say("All stems are reset.");
  }

  // A remix

  /** The stems of the separation that was heard last, at their gains: the samples of a WAV file of 24 bits. */
  async function render() {
    const parts = data.variants[state.separation].stems
      .map(track => ({ buffer: sound.buffers.get(track), factor: factorOf(track, state.separation) }))
      .filter(part => part.factor !== 0);
    const frames = sound.buffers.values().next().value.length, rate = data.sampleRate, block = 1 << 18;
    const sums = [new Float32Array(block), new Float32Array(block)];
    const add = (start, count) => {
      sums.forEach((sum, channel) => {
        sum.fill(0);
        for (const { buffer, factor } of parts) {
          const samples = buffer.getChannelData(Math.min(channel, buffer.numberOfChannels - 1));
          for (let i = 0; i < count; i++)
            sum[i] += factor * samples[start + i];
        }
      });
    };
    let peak = 0;
    for (let start = 0; start < frames; start += block) {
      const count = Math.min(block, frames - start);
      add(start, count);
      for (const sum of sums) {
        for (let i = 0; i < count; i++)
          peak = Math.max(peak, Math.abs(sum[i]));
      }
      await new Promise(resolve => setTimeout(resolve));
    }
    const most = 8388607, scale = peak > most / 8388608 ? most / peak : 8388608;
    const bytes = new Uint8Array(44 + frames * 6), view = new DataView(bytes.buffer);
    const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
    text(0, "RIFF");
    view.setUint32(4, bytes.length - 8, true);
    text(8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 2, true);
    view.setUint32(24, rate, true);
    view.setUint32(28, rate * 6, true);
    view.setUint16(32, 6, true);
    view.setUint16(34, 24, true);
    text(36, "data");
    view.setUint32(40, frames * 6, true);
    for (let start = 0; start < frames; start += block) {
      const count = Math.min(block, frames - start);
      add(start, count);
      for (let i = 0, at = 44 + start * 6; i < count; i++) {
        for (const sum of sums) {
          const value = Math.round(sum[i] * scale);
          bytes[at++] = value;
          bytes[at++] = value >> 8;
          bytes[at++] = value >> 16;
        }
      }
      await new Promise(resolve => setTimeout(resolve));
    }
    return { bytes, lowered: scale < 8388608 ? 20 * Math.log10(8388608 / scale) : 0 };
  }

  async function download() {
    $("download").disabled = true;
    say("Creating the remix …");
    try {
      const { bytes, lowered } = await render();
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
      // eslint-disable-next-line no-control-regex -- These no file name can have.
      link.download = `${data.title.replace(/[\u0000-\u001f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "_").slice(0, 120)} remix.wav`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      say(lowered > 0.005 ? `The remix is ready. It was lowered by ${lowered.toFixed(1)} dB to avoid clipping.` : "The remix is ready.");
    } catch (error) {
      say(`The remix cannot be created: ${error.message}.`);
    }
    $("download").disabled = false;
  }

  // Drawing

  /** Waveforms at several scales: each level has a quarter of the buckets of the one before. */
  function levelsOf(track) {
    let bytes = new Int8Array(bytesOf(track.peaks).buffer), frames = track.bucketFrames;
    const levels = [{ bytes, frames }];
    while (bytes.length > 2048) {
      const coarse = new Int8Array(2 * Math.ceil(bytes.length / 8));
      for (let i = 0; i < coarse.length; i += 2) {
        let least = 127, greatest = -127;
        for (let j = 4 * i; j < Math.min(4 * i + 8, bytes.length); j += 2) {
          least = Math.min(least, bytes[j]);
          greatest = Math.max(greatest, bytes[j + 1]);
        }
        coarse[i] = least;
        coarse[i + 1] = greatest;
      }
      bytes = coarse;
      frames *= 4;
      levels.push({ bytes, frames });
    }
    return levels;
  }

  const peaks = new Map(tracks.map(track => [track, levelsOf(track)]));
  // All are drawn to one scale, on which the loudest just fits.
  const fullHeight = Math.max(1, ...[...peaks.values()].map(levels => levels.at(-1).bytes.reduce((most, byte) => Math.max(most, Math.abs(byte)), 0)));
  const waves = []; // { element, canvas, head, region, track() }

  function fitCanvas(canvas) {
    const ratio = window.devicePixelRatio || 1, width = Math.max(1, Math.round(canvas.clientWidth * ratio)), height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const paint = canvas.getContext("2d");
    paint.clearRect(0, 0, width, height);
    paint.fillStyle = getComputedStyle(canvas).color;
    return { paint, width, height, ratio };
  }

  function drawWave({ canvas, track }) {
    const { paint, width, height } = fitCanvas(canvas);
    const shown = track();
    if (!shown)
      return;
    const [from, to] = state.view, framesAPixel = (to - from) * data.sampleRate / width;
    const level = peaks.get(shown).findLast(l => l.frames <= framesAPixel) ?? peaks.get(shown)[0];
    const middle = height / 2, count = level.bytes.length / 2;
    paint.fillRect(0, middle - 0.5, width, 1);
    for (let x = 0; x < width; x++) {
      const start = (from * data.sampleRate + x * framesAPixel) / level.frames;
      const first = Math.floor(start), last = Math.min(count, Math.max(first + 1, Math.floor(start + framesAPixel / level.frames)));
      let least = 127, greatest = -127;
      for (let i = first; i < last; i++) {
        least = Math.min(least, level.bytes[2 * i]);
        greatest = Math.max(greatest, level.bytes[2 * i + 1]);
      }
      if (greatest >= least)
        paint.fillRect(x, middle - greatest / fullHeight * middle, 1, Math.max(1, (greatest - least) / fullHeight * middle));
    }
  }

  function drawRuler() {
    const canvas = $("position").firstElementChild, { paint, width, height, ratio } = fitCanvas(canvas);
    const [from, to] = state.view, perSecond = width / (to - from);
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600].find(s => s * perSecond >= 72 * ratio) ?? 7200;
    paint.font = `${12 * ratio}px system-ui, sans-serif`;
    paint.textBaseline = "bottom";
    for (let mark = Math.ceil(from / step - 1e-9); mark * step <= to + 1e-9; mark++) {
      const x = (mark * step - from) * perSecond;
      paint.fillRect(Math.min(width - ratio, x), height - 7 * ratio, ratio, 7 * ratio);
      const label = step < 0.1 ? `${formatTime(mark * step).slice(0, -2)}.${String(Math.round(mark * step * 100) % 100).padStart(2, "0")}` : step < 1 ? formatTime(mark * step) : formatTime(mark * step).slice(0, -2);
      const wide = paint.measureText(label).width;
      paint.fillText(label, Math.min(width - wide, Math.max(0, x - wide / 2)), height - 9 * ratio);
    }
  }

  function draw() {
    drawRuler();
    waves.forEach(drawWave);
    showRegion();
    showPosition(true);
  }

  const places = () => [...waves, ruler];

  function place(element, seconds) {
    const [from, to] = state.view;
    return (seconds - from) / (to - from) * element.clientWidth;
  }

  function showRegion() {
    for (const { element, region } of places()) {
      region.hidden = !state.region;
      if (!state.region)
        continue;
      const from = Math.max(-2, place(element, state.region[0])), to = Math.min(element.clientWidth + 2, place(element, state.region[1]));
      region.hidden = to <= from;
      region.style.left = `${from}px`;
      region.style.width = `${Math.max(1, to - from)}px`;
      region.style.opacity = state.loop ? 1 : 0.45;
    }
  }

  let shownTenths = -1, shownSecond = -1;

  function showPosition(always) {
    const at = sound.position();
    if (at > state.view[1] && state.view[1] < data.duration && sound.playing)
      setView(at, at + state.view[1] - state.view[0]);
    for (const { element, head } of places()) {
      const x = place(element, at);
      head.hidden = x < -1 || x > element.clientWidth + 1;
      head.style.transform = `translateX(${Math.min(element.clientWidth - 2, Math.max(0, x - 1))}px)`;
    }
    const tenths = Math.round(at * 10), second = Math.floor(at);
    if (always || tenths !== shownTenths)
      $("now").textContent = formatTime(at);
    if (always || second !== shownSecond) {
      $("position").setAttribute("aria-valuenow", at.toFixed(1));
      $("position").setAttribute("aria-valuetext", `${formatTime(at)} of ${formatTime(data.duration)}`);
    }
    shownTenths = tenths;
    shownSecond = second;
  }

  function showPlaying() {
    $("play").classList.toggle("playing", sound.playing);
    $("play").setAttribute("aria-label", sound.playing ? "Pause" : "Play");
    showPosition(true);
    if (sound.playing)
      requestAnimationFrame(step);
  }

  function step() {
    if (!sound.playing)
      return;
    if (sound.ended || (!state.loop && sound.position() >= sound.end - 0.005)) {
      pause();
      return;
    }
    showPosition(false);
    requestAnimationFrame(step);
  }

  function showHeard() {
    sound.level();
    for (const radio of $("hear").querySelectorAll("input"))
      radio.checked = Number(radio.value) === state.hear;
    for (const { lane, name } of lanes) {
      const stem = state.lanes.get(name);
      lane.classList.toggle("unheard", stem ? state.hear === -1 || !isHeard(name) || stem.gain <= silence : state.hear !== -1);
      if (!stem)
        continue;
      lane.querySelector(".solo").setAttribute("aria-pressed", stem.solo);
      lane.querySelector(".mute").setAttribute("aria-pressed", stem.mute);
      const slider = lane.querySelector("input"), words = stem.gain <= silence ? "−∞ dB" : `${stem.gain > 0 ? "+" : stem.gain < 0 ? "−" : ""}${Math.abs(stem.gain).toFixed(1)} dB`;
      slider.value = stem.gain;
      slider.setAttribute("aria-valuetext", words);
      lane.querySelector("output").textContent = words;
    }
    waves.forEach(drawWave);
  }

  function setView(from, to) {
    const length = Math.min(data.duration, Math.max(0.05, to - from)), start = Math.min(data.duration - length, Math.max(0, from));
    state.view = [start, start + length];
    const rest = data.duration - length;
    $("scrolling").hidden = rest < 1e-6;
    $("scroll").value = rest < 1e-6 ? 0 : start / rest * 1000;
    $("scroll").setAttribute("aria-valuetext", `from ${formatTime(start)} to ${formatTime(start + length)}`);
    draw();
  }

  function zoom(factor, at = sound.position()) {
    const [from, to] = state.view, center = at < from || at > to ? (from + to) / 2 : at;
    setView(center - (center - from) * factor, center + (to - center) * factor);
  }

  // Building

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function addWave(element, track) {
    const wave = { element, canvas: element.querySelector("canvas"), region: make("div", { className: "region", hidden: true }), head: make("div", { className: "head" }), track };
    element.append(wave.region, wave.head);
    let down = null;
    const secondsAt = event => {
      const box = element.getBoundingClientRect(), [from, to] = state.view;
      return Math.min(data.duration, Math.max(0, from + (event.clientX - box.left) / box.width * (to - from)));
    };
    element.addEventListener("pointerdown", event => {
      if (event.button !== 0)
        return;
      element.setPointerCapture(event.pointerId);
      down = { x: event.clientX, seconds: secondsAt(event), dragged: false };
      if (!track)
        seek(down.seconds);
    });
    element.addEventListener("pointermove", event => {
      if (!down)
        return;
      down.dragged ||= Math.abs(event.clientX - down.x) > 6;
      if (!track) {
        seek(secondsAt(event));
      } else if (down.dragged) {
        const to = secondsAt(event);
        state.region = [Math.min(down.seconds, to), Math.max(down.seconds, to)];
        showRegion();
      }
    });
    element.addEventListener("pointerup", () => {
      if (down && track) {
        if (down.dragged)
          setLoop(true);
        else
          seek(down.seconds);
      }
      down = null;
    });
    element.addEventListener("pointercancel", () => { down = null; });
    element.addEventListener("wheel", event => {
      if (event.ctrlKey) {
        event.preventDefault();
        zoom(Math.exp(event.deltaY / 300), secondsAt(event));
      } else if (event.deltaX !== 0 || event.shiftKey) {
        event.preventDefault();
        const [from, to] = state.view, by = (event.deltaX || event.deltaY) / element.clientWidth * (to - from);
        setView(from + by, to + by);
      }
    }, { passive: false });
    return wave;
  }

  const lanes = [];

  function addLane(name, colors, track) {
    const wave = make("div", { className: "wave" }, make("canvas"));
    wave.firstChild.setAttribute("aria-hidden", "true");
    const label = make("div", { className: "name" }, make("span", { textContent: name, title: name, dir: "auto" }));
    const controls = make("div", { className: "controls" }, label);
    const lane = make("div", { className: `lane ${colors}` }, controls, wave);
    lane.setAttribute("role", "group");
    lane.setAttribute("aria-label", name);
    if (state.lanes.has(name) && track() !== data.mix) {
      for (const [what, letter, verb] of [["solo", "S", "Solo"], ["mute", "M", "Mute"]]) {
        const button = make("button", { type: "button", className: what, textContent: letter, title: `${verb} ${name}` });
        button.setAttribute("aria-label", `${verb} ${name}`);
        button.addEventListener("click", () => toggle(name, what));
        controls.append(button);
      }
      const slider = make("input", { type: "range", min: silence, max: sound.canBoost ? 12 : 0, step: 0.5, value: 0, title: "Gain (double-click to reset)" });
      slider.setAttribute("aria-label", `Gain of ${name}`);
      slider.addEventListener("input", () => setGain(name, Number(slider.value)));
      slider.addEventListener("dblclick", () => setGain(name, 0));
      controls.append(make("div", { className: "gain" }, slider, make("output")));
      lanes.push({ lane, name });
    } else {
      controls.append(make("div", { className: "hint", textContent: audible.includes(data.mix) ? "original mix" : "cannot be played here" }));
      lanes.push({ lane, name: null });
    }
    $("lanes").append(lane);
    waves.push(addWave(wave, track));
  }

  function addChoice(value, words, enabled = true) {
    const radio = make("input", { type: "radio", name: "hear", value, disabled: !enabled });
    radio.addEventListener("change", () => hear(value));
    $("hear").append(make("label", {}, radio, make("span", { textContent: words, dir: "auto" })));
  }

  const ruler = addWave($("position"), null);
  const several = data.variants.length > 1;
  if (data.mix)
    addLane("mix", "mix", () => data.mix);
  stemNames.forEach((name, i) => addLane(name, `c${i % 8}`, () => data.variants[state.separation].stems.find(s => s.name === name)));
  addChoice(-1, "Mix", audible.includes(data.mix));
  data.variants.forEach((variant, i) => addChoice(i, several ? variant.name : "Sum of stems"));

  $("subtitle").textContent = [
    data.artist,
    several ? `${data.variants.length} separations at the same level` : data.variants[0].provenance.length > 0 && data.variants[0].name,
    `${stemNames.length} ${stemNames.length === 1 ? "stem" : "stems"}`,
    formatTime(data.duration),
  ].filter(Boolean).join(" · ");
  $("total").textContent = formatTime(data.duration);
  $("position").setAttribute("aria-valuemin", "0");
  $("position").setAttribute("aria-valuemax", data.duration.toFixed(1));
  const notes = [...data.notes];
  if (data.audio === "parts")
    notes.push("The sound is fetched from the server during playback. A remix can only be downloaded from pages with embedded sound.");
  if (data.audio === "linked")
    notes.push("The browser plays each file with its own player. The players start up to 25 milliseconds apart, and are aligned to within 2 milliseconds after some seconds. A served page is sample-accurate. Gains above 0 dB and downloads of a remix need embedded sound.");
  $("notes").hidden = notes.length === 0;
  $("notes").append(...notes.map(note => make("li", { textContent: note, dir: "auto" })));

  for (const variant of data.variants) {
    if (several)
      $("provenance").append(make("h2", { textContent: variant.name, dir: "auto" }));
    const facts = variant.provenance.length > 0 ? variant.provenance.map(f => [...f]) : [["Provenance", "Unknown: no record next to these files."]];
    if (several)
      facts.push(["Level here", `${(20 * Math.log10(variant.level)).toFixed(2)} dB, so that all have the same loudness`]);
    $("provenance").append(make("dl", {}, ...facts.map(([what, words]) => make("div", {}, make("dt", { textContent: what, dir: "auto" }), make("dd", { textContent: words, dir: "auto" })))));
  }

  $("play").addEventListener("click", () => sound.playing ? pause() : play());
  $("start").addEventListener("click", () => seek(state.loop && state.region ? state.region[0] : 0));
  $("loop").addEventListener("click", () => setLoop(!state.loop));
  $("reset").addEventListener("click", reset);
  $("download").addEventListener("click", download);
  $("in").addEventListener("click", () => zoom(0.5));
  $("out").addEventListener("click", () => zoom(2));
  $("fit").addEventListener("click", () => setView(0, data.duration));
  $("volume").addEventListener("input", event => {
    state.volume = (Number(event.target.value) / 100) ** 2;
    sound.level();
  });
  $("scroll").addEventListener("input", event => {
    const [from, to] = state.view, start = Number(event.target.value) / 1000 * (data.duration - (to - from));
    setView(start, start + to - from);
  });
  $("theme").addEventListener("change", event => {
    document.documentElement.dataset.theme = event.target.value;
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe($("lanes"));

  function key(event) {
    const second = event.shiftKey ? 1 : 5;
    const digit = /^Digit([1-9])$/.exec(event.code);
    if (digit) {
      const name = stemNames[Number(digit[1]) - 1];
      return name === undefined ? null : () => toggle(name, event.shiftKey ? "mute" : "solo");
    }
    switch (event.key) {
      case " ": return () => sound.playing ? pause() : play();
      case "ArrowLeft": return () => seek(sound.position() - second);
      case "ArrowRight": return () => seek(sound.position() + second);
      case "Home": return () => seek(0);
      case "End": return () => seek(data.duration);
      case "x": case "X": return () => hear(state.hear === -1 ? state.separation : -1);
      case "v": case "V": return () => hear((state.separation + (state.hear === -1 ? 0 : 1)) % data.variants.length);
      case "l": case "L": return () => setLoop(!state.loop);
      case "[": return () => setLoop(true, [sound.position(), Math.max(state.region?.[1] ?? data.duration, sound.position())]);
      case "]": return () => setLoop(true, [Math.min(state.region?.[0] ?? 0, sound.position()), sound.position()]);
      case "Escape": return () => setLoop(state.loop, null);
      case "+": case "=": return () => zoom(0.5);
      case "-": case "−": return () => zoom(2);
      case "0": return () => setView(0, data.duration);
      case "r": case "R": return reset;
      default: return null;
    }
  }

  document.addEventListener("keydown", event => {
    if (!$("shortcuts").checked || event.ctrlKey || event.metaKey || event.altKey)
      return;
    // What has the focus knows these keys itself.
    const own = event.target.closest?.("input, select, button, summary");
    if (own && (event.key === " " || event.key === "Enter" || (own.matches("input, select") && /^(Arrow|Home|End|Page)/.test(event.key)) || own.matches("select")))
      return;
    const action = key(event);
    if (action) {
      event.preventDefault();
      action();
    }
  });

  if (audible.includes(data.mix) && audible.length === 1)
    state.hear = -1;
  setView(0, data.duration);
  showHeard();

  const ready = sound.prepare().then(() => {
    isReady = true;
    $("play").disabled = false;
    $("download").disabled = !sound.canRender;
    say("Ready.");
  }, error => {
    say(`The sound cannot be opened: ${error.message}.`);
    throw error;
  });

  // For scripts, and for whoever tests this.
  window.stemPlayer = { data, state, sound, ready, play, pause, seek, setLoop, hear, toggle, setGain, reset, render, position: () => sound.position() };
})();
