"""How FFmpeg reads what outputs are made of: a file, or several as one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

#: What a job's first source is called in scratch; others are numbered.
SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Graph:
    """Files made alike and joined by filters, as if they were one source.

    ``files`` are the words that open each. Of each piece there are the filters from its own
    streams to the ``pictures`` and the ``sounds`` that are joined; a sound is a row, with
    one place for each piece. In this source the sounds are the first streams, and the
    picture follows them.
    """

    files: tuple[tuple[str, ...], ...]
    pictures: tuple[str, ...]
    sounds: tuple[tuple[str, ...], ...]

    def text(self, *, picture: str = "", sounds: Mapping[int, Sequence[str]]) -> str:
        """Return the graph that gives the picture, and sounds, under labels.

        Without a label the picture is not even decoded, nor are sounds that nobody takes. A
        sound has as many labels as it is taken.
        """
        wanted = [number for number, labels in sounds.items() if labels]
        ends = [[self._end(place, "v")] if picture else [] for place in range(self._count)]
        parts: list[str] = []
        for place in range(self._count):
            if picture:
                parts.append(f"{self.pictures[place]}{ends[place][0]}")
            for number in wanted:
                ends[place].append(self._end(place, f"a{number}"))
                parts.append(f"{self.sounds[number][place]}{ends[place][-1]}")
        made = [*([picture] if picture else []), *(f"j{number}" for number in wanted)]
        parts += self._joined([end for each in ends for end in each], made, picture)
        return ";".join((*parts, *_spread({n: sounds[n] for n in wanted})))

    def _joined(
        self, ends: Sequence[str], made: Sequence[str], picture: str
    ) -> Iterator[str]:
        """Yield the filters that put pieces end to end; one alone has nothing after it."""
        labels = [f"[{label}]" for label in made]
        if self._count == 1:
            for end, label in zip(ends, labels, strict=True):
                yield f"{end}{'null' if label == f'[{picture}]' else 'anull'}{label}"
            return
        how = f"concat=n={self._count}:v={int(bool(picture))}"
        sounds = len(made) - bool(picture)
        yield f"{''.join(ends)}{how}:a={sounds}{''.join(labels)}"

    @property
    def _count(self) -> int:
        return len(self.pictures or self.sounds[0])

    def _end(self, place: int, stream: str) -> str:
        return f"[p{place}{stream}]"


#: The name of a file in scratch, or what stands for one.
Source: TypeAlias = str | Graph


def files_of(urls: Iterable[str]) -> dict[str, str]:
    """Return what the file of each source is called in scratch."""
    return {
        url: f"{SOURCE}-{number}" if number else SOURCE for number, url in enumerate(urls)
    }


def opened(source: Source, threads: int, *options: str) -> tuple[str, ...]:
    """Return the words that open a source, for decoders of so many threads.

    ``options`` are for what is one file.
    """
    words = ("-threads", str(threads))
    if isinstance(source, str):
        return (*words, *options, "-i", source)
    return tuple(word for file in source.files for word in (*words, *file))


def sound_words(source: Source, stream: int, filters: Sequence[str]) -> tuple[str, ...]:
    """Return the words that take one sound, filtered, and nothing else, to an output."""
    chain = ",".join(filters)
    if isinstance(source, str):
        return ("-map", f"0:{stream}", "-filter:a", chain)
    graph = f"{source.text(sounds={stream: ('taken',)})};[taken]{chain}[sound]"
    return ("-filter_complex", graph, "-map", "[sound]")


def _spread(sounds: Mapping[int, Sequence[str]]) -> Iterator[str]:
    """Yield the filters that give each sound to all who take it."""
    for number, labels in sounds.items():
        ends = "".join(f"[{label}]" for label in labels)
        yield (
            f"[j{number}]"
            + (f"asplit={len(labels)}" if len(labels) > 1 else "anull")
            + ends
        )
