"""What is done to a picture or a sound for its looks: noise, sharpness, fades."""

from collections.abc import Mapping
from dataclasses import dataclass

from media_nommer.core.errors import InvalidRecipe
from media_nommer.core.recipes.documents import Audio, Strength, Video

#: Of hqdn3d: the strengths over a frame's brightness and colour, and those over time.
#: ``medium`` is the filter's own default; the others are half and twice of it.
_DENOISE: Mapping[Strength, str] = {
    "light": "2:1.5:3:2.25",
    "medium": "4:3:6:4.5",
    "strong": "8:6:12:9",
}
#: Of unsharp, on brightness alone; 0 is as it was, and above 1.5 edges get bright rims.
_SHARPEN: Mapping[Strength, float] = {"light": 0.4, "medium": 0.8, "strong": 1.3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fades:
    """From nothing over ``rise`` seconds, and to nothing over ``fall`` from ``falls_at``.

    Nothing is black, and silence.
    """

    rise: float = 0.0
    fall: float = 0.0
    falls_at: float = 0.0

    @property
    def any(self) -> bool:
        """Say whether there is one."""
        return bool(self.rise or self.fall)

    def filters(self, name: str) -> tuple[str, ...]:
        """Return the filters, by the ``name`` that FFmpeg has for a picture or a sound."""
        return (
            *((f"{name}=t=in:st=0:d={self.rise:g}",) if self.rise else ()),
            *(
                (f"{name}=t=out:st={self.falls_at:.10g}:d={self.fall:g}",)
                if self.fall
                else ()
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What is done to a picture that has its size already."""

    denoise: Strength | None = None
    sharpen: Strength | None = None
    fades: Fades = Fades()

    @property
    def need_the_source(self) -> bool:
        """Say whether a smaller picture would lose them: sharp edges blur in scaling."""
        return self.sharpen is not None

    def filters(self) -> tuple[str, ...]:
        """Return the filters but fades, in their order: noise must not be sharpened."""
        return (
            *((f"hqdn3d={_DENOISE[self.denoise]}",) if self.denoise else ()),
            *((f"unsharp=la={_SHARPEN[self.sharpen]:g}:ca=0",) if self.sharpen else ()),
        )


NO_FADES = Fades()
NO_EFFECTS = Effects()


def picture_effects(video: Video, duration: float | None, where: str) -> Effects:
    """Return what a recipe asks for a picture of so many seconds.

    Raises:
        InvalidRecipe: its fades are longer than it, or nothing tells how long it is.
    """
    return Effects(
        denoise=video.denoise, sharpen=video.sharpen, fades=fades_of(video, duration, where)
    )


def fades_of(said: Video | Audio, duration: float | None, where: str) -> Fades:
    """Return how a picture or a sound of so many seconds begins and ends.

    Raises:
        InvalidRecipe: the fades are longer than it, or nothing tells how long it is.
    """
    rise, fall = said.fade_in or 0.0, said.fade_out or 0.0
    if duration is None:
        if fall:
            raise InvalidRecipe(f"{where}.fade_out: nothing tells how long the source is")
        return Fades(rise=rise)
    if rise + fall > duration:
        field = "fade_out" if fall else "fade_in"
        both = f"{rise + fall:g} s of fades" if rise and fall else f"{rise + fall:g} s"
        raise InvalidRecipe(f"{where}.{field}: {both} are longer than {duration:g} s")
    return Fades(rise=rise, fall=fall, falls_at=round(duration - fall, 3) if fall else 0.0)
