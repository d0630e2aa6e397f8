"""What kind of content a name promises, for storages that serve what they keep."""

_TYPES = {
    "aac": "audio/aac",
    "avi": "video/x-msvideo",
    "avif": "image/avif",
    "cmfa": "audio/mp4",
    "cmft": "application/mp4",
    "cmfv": "video/mp4",
    "flac": "audio/flac",
    "gif": "image/gif",
    "html": "text/html; charset=utf-8",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "key": "application/octet-stream",
    "log": "text/plain; charset=utf-8",
    "m2ts": "video/mp2t",
    "m3u8": "application/vnd.apple.mpegurl",
    "m4a": "audio/mp4",
    "m4s": "video/iso.segment",
    "m4v": "video/mp4",
    "mka": "audio/x-matroska",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpd": "application/dash+xml",
    "mxf": "application/mxf",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg; codecs=opus",
    "png": "image/png",
    "srt": "application/x-subrip",
    "ts": "video/mp2t",
    "ttml": "application/ttml+xml",
    "txt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "xml": "application/xml",
}


def content_type_of(name: str) -> str | None:
    """Return the media type that a file of this name is served as, None for no idea."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return _TYPES.get(ending.lower()) if dot and stem else None
