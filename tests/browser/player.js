// One way to speak with three players. The page is opened as
// player.html#NAME,LIBRARY,MANIFEST,KEYS, where KEYS are pairs of id:key in hexadecimal digits.
"use strict";

const video = document.getElementById("video");
const errors = [];
window.addEventListener("error", (event) => errors.push(String(event.message)));

const players = {
  hls(manifest) {
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (data.fatal) errors.push(`${data.type} ${data.details}`);
    });
    hls.loadSource(manifest);
    hls.attachMedia(video);
    return {
      heights: () => hls.levels.map((level) => level.height),
      choose: (height) => {
        hls.currentLevel = hls.levels.findIndex((level) => level.height === height);
      },
      texts: () => hls.allSubtitleTracks.map((track) => track.name),
      show: (name) => {
        const all = hls.allSubtitleTracks;
        hls.setSubtitleOption({ name, lang: all.find((each) => each.name === name).lang });
        hls.subtitleDisplay = true;
      },
    };
  },

  dash(manifest) {
    const dash = dashjs.MediaPlayer().create();
    dash.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
    dash.on("error", (event) => errors.push(JSON.stringify(event.error)));
    const text = (hex) =>
      btoa(String.fromCharCode(...hex.match(/../g).map((byte) => parseInt(byte, 16))))
        .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const clearkeys = Object.fromEntries(keys.map((pair) => pair.map(text)));
    if (keys.length) dash.setProtectionData({ "org.w3.clearkey": { clearkeys } });
    dash.initialize(video, manifest, false);
    return {
      heights: () => dash.getRepresentationsByType("video").map((each) => each.height),
      choose: (height) => {
        const all = dash.getRepresentationsByType("video");
        const wanted = all.find((each) => each.height === height);
        dash.setRepresentationForTypeById("video", wanted.id, true);
      },
      texts: () => dash.getTracksFor("text").map((track) => track.labels[0].text),
      show: (name) => {
        const all = dash.getTracksFor("text");
        dash.setTextTrack(all.findIndex((track) => track.labels[0].text === name));
      },
    };
  },

  shaka(manifest) {
    const player = new shaka.Player();
    player.configure({ abr: { enabled: false } });
    if (keys.length) player.configure({ drm: { clearKeys: Object.fromEntries(keys) } });
    player.addEventListener("error", (event) => errors.push(JSON.stringify(event.detail)));
    player
      .attach(video)
      .then(() => player.load(manifest))
      .catch((error) => errors.push(JSON.stringify(error)));
    return {
      heights: () => [...new Set(player.getVariantTracks().map((track) => track.height))],
      choose: (height) => {
        const all = player.getVariantTracks();
        player.selectVariantTrack(all.find((track) => track.height === height), true);
      },
      texts: () => player.getTextTracks().map((track) => track.label),
      show: (name) => {
        const all = player.getTextTracks();
        player.selectTextTrack(all.find((track) => track.label === name));
        player.setTextTrackVisibility(true);
      },
    };
  },
};

const stood = { at: -1, since: 0 };

// What is seen from outside.
const seen = {
  errors: () => errors,
  heights: () => seen.player.heights(),
  choose: (height) => seen.player.choose(height),
  texts: () => seen.player.texts(),
  show: (name) => seen.player.show(name),
  cues: () =>
    [...video.textTracks]
      .filter((track) => track.mode === "showing")
      .flatMap((track) => [...(track.activeCues ?? [])].map((cue) => cue.text)),
  play: () => video.play(),
  // Play a part over and over: what is chosen may come when its time has passed.
  repeat: (from, to) => {
    const { currentTime } = video;
    if (!video.seeking && (video.paused || currentTime < from || currentTime > to)) {
      video.currentTime = from + 0.05;
      video.play();
    }
    return true;
  },
  // Whether nothing is under way that a seek would cut short.
  calm: () => !video.seeking && video.readyState > 2,
  // Play on to the end; where the picture stands still for long, from here once more.
  ends: (from) => {
    const now = performance.now();
    if (video.currentTime !== stood.at) Object.assign(stood, { at: video.currentTime, since: now });
    if (!video.ended && now - stood.since > 10000) {
      stood.since = now;
      seen.seek(from);
    }
    return video.ended;
  },
  seek: (time) => {
    video.currentTime = time;
    return video.play();
  },
  state: () => ({
    time: video.currentTime,
    duration: video.duration,
    height: video.videoHeight,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    sound: video.webkitAudioDecodedByteCount,
    ready: video.readyState,
    ended: video.ended,
  }),
};
window.seen = seen;

const [name, library, manifest, ...pairs] = location.hash.slice(1).split(",");
const keys = pairs.map((pair) => pair.split(":"));
const script = document.createElement("script");
script.src = library;
script.onload = () => {
  seen.player = players[name](manifest);
};
script.onerror = () => errors.push(`no ${library}`);
document.head.append(script);
