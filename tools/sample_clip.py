"""Make a clip to try things with: ten seconds of moving picture and a tone."""

import subprocess
import sys
from pathlib import Path

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg

PICTURE = "testsrc2=size=1280x720:rate=25:duration=10"
SOUND = "sine=frequency=440:beep_factor=4:duration=10"


def main(path: Path) -> None:
    """Write the clip to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg = [str(find_ffmpeg()), "-v", "error", "-nostdin", "-y"]
    inputs = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND]
    codecs = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    subprocess.run([*ffmpeg, *inputs, *codecs, str(path)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
