"""FFmpeg's own options in a recipe: those that neither read nor write a file.

What an option may be is listed, by its name in FFmpeg; so is what the parameter lists of
x264, x265, SVT-AV1 and libaom may hold, some of whose keys name files. Threads, passes,
rates of frames and sizes are left out: they are planned, and outputs are checked against
the plan.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import Field

RawName = Annotated[str, Field(min_length=1, max_length=64)]
RawValue = Annotated[str, Field(min_length=1, max_length=1000)]
RawOptions: TypeAlias = Annotated[
    tuple[tuple[RawName, RawValue], ...], Field(max_length=50)
]

_PLAIN = re.compile(r"[A-Za-z0-9_.:+,|-]{1,200}")
_TEXT = re.compile(r"[A-Za-z0-9_-]{1,64}=[^\x00-\x1f\x7f]{0,500}")
_FOR = re.compile(r"(?P<name>[A-Za-z0-9_-]+?)(:[gs])?(:[vas](:[0-9])?)?")

_PICTURE = """
    8x8dct aq-mode aq-strength arnr-maxframes arnr-strength arnr-type aud auto-alt-ref
    b-bias b-pyramid b_qfactor b_strategy bits_per_mb bluray-compat chromaoffset coder
    cplxblur cpu-used deadline deblock direct-pred enable-tpl fast-pskip forced-idr
    frame-parallel i_qfactor intra-refresh keyint_min lag-in-frames max-intra-rate
    mbs_per_slice mbtree me_method me_range mixed-refs motion-est nal-hrd
    noise_reduction overshoot-pct partitions psy psy-rd qcomp qdiff qmax qmin
    quant_mat rc-lookahead refs row-mt sc_threshold sharpness slice-max-size
    static-thresh subq tile-columns tile-rows trellis tune-content undershoot-pct
    weightb weightp
"""
_SOUND = """
    aac_coder aac_is aac_ms aac_pns aac_tns abr application compression_level cutoff
    dialnorm dsur_mode fec frame_duration joint_stereo packet_loss reservoir room_type
    vbr
"""
_CONTAINER = """
    brand cluster_size_limit cluster_time_limit disposition metadata movie_timescale
    mpegts_flags mpegts_original_network_id mpegts_service_id mpegts_start_pid
    mpegts_transport_stream_id muxrate pat_period pcr_period pes_payload_size
    sdt_period video_track_timescale write_btrt write_tmcd
"""
_X264 = """
    8x8dct analyse aq-mode aq-strength aud b-adapt b-bias b-pyramid bluray-compat
    cabac chroma-qp-offset chromaloc colormatrix colorprim constrained-intra
    deadzone-inter deadzone-intra deblock decimate direct fast-pskip filler force-cfr
    fullrange intra-refresh ipratio keyint-min mbtree me me-range merange mixed-refs
    mvrange nal-hrd nr open-gop overscan partitions pbratio pic-struct psy psy-rd
    qblur qcomp qpmax qpmin qpstep rc-lookahead ref scenecut slice-max-mbs
    slice-max-size slices subme transfer trellis videoformat weightb weightp
"""
_X265 = """
    amp aq-mode aq-motion aq-strength aud b-adapt b-intra b-pyramid cbqpoffs chromaloc
    colormatrix colorprim constrained-intra crqpoffs ctu cu-lossless cutree deblock
    early-skip fades fast-intra hevc-aq hist-scenecut hrd ipratio limit-modes
    limit-refs limit-sao limit-tu lookahead-slices max-merge max-tu-size me merange
    min-cu-size nr-inter nr-intra open-gop overscan pbratio pmode psy-rd psy-rdoq
    qblur qcomp qg-size qpmax qpmin qpstep range rc-grain rc-lookahead rd rd-refine
    rdoq-level rdpenalty rect ref repeat-headers rskip sao sao-non-deblock scenecut
    selective-sao signhide ssim-rd strong-intra-smoothing subme temporal-mvp transfer
    tskip tskip-fast tu-inter-depth tu-intra-depth vbv-init videoformat weightb
    weightp
"""
_SVT = """
    ac-bias aq-mode chroma-u-ac-qindex-offset chroma-u-dc-qindex-offset enable-cdef
    enable-dlf enable-hdr enable-mfmv enable-overlays enable-qm enable-restoration
    enable-stat-report enable-tf enable-variance-boost fast-decode film-grain
    film-grain-denoise hierarchical-levels key-frame-chroma-qindex-offset lookahead
    luminance-qp-bias max-qp min-qp noise-norm-strength overshoot-pct psy-rd qm-max
    qm-min rmv scd scm sharpness tf-strength tile-columns tile-rows tune
    undershoot-pct variance-boost-strength variance-octile
"""

_AOM = """
    aq-mode arnr-maxframes arnr-strength coeff-cost-upd-freq deltaq-mode
    deltaq-strength denoise-block-size denoise-noise-level disable-trellis-quant
    dist-metric enable-adaptive-sharpness enable-cdef enable-chroma-deltaq
    enable-dnl-denoising enable-global-motion enable-intrabc enable-keyframe-filtering
    enable-obmc enable-palette enable-qm enable-restoration enable-smooth-interintra
    enable-tpl-model enable-tx64 enable-warped-motion film-grain-test
    gf-max-pyr-height gf-min-pyr-height max-gf-interval max-partition-size
    max-reference-frames min-gf-interval min-partition-size mode-cost-upd-freq
    mv-cost-upd-freq qm-max qm-min quant-b-adapt reduced-tx-type-set sb-size
    screen-detection-mode sharpness tune-content
"""

#: What encoders and FFmpeg call the passes, and what lies between them.
_PASSES = """
    multi-pass-opt-analysis multi-pass-opt-distortion multi-pass-opt-rps pass passes
    passlogfile slow-firstpass stats two-pass-input two-pass-output x265-stats
"""

_PICTURE_NAMES, _OF_PASSES = frozenset(_PICTURE.split()), frozenset(_PASSES.split())

#: The names of options whose values are lists of keys, and the keys that these may hold.
PARAMETER_LISTS: Mapping[str, frozenset[str]] = {
    "x264-params": frozenset(_X264.split()),
    "x265-params": frozenset(_X265.split()),
    "svtav1-params": frozenset(_SVT.split()),
    "aom-params": frozenset(_AOM.split()),
}
#: What each of those lists is for.
_WHOSE: Mapping[str, str] = {
    "x264-params": "h264",
    "x265-params": "hevc",
    "svtav1-params": "av1 in one pass, by SVT-AV1",
    "aom-params": "av1 in two passes, by libaom",
}
ALLOWED = frozenset([*f"{_PICTURE} {_SOUND} {_CONTAINER}".split(), *PARAMETER_LISTS])


def raw_problems(options: Sequence[tuple[str, str]], path: str) -> Iterator[str]:
    """Yield a sentence for each option that is not let through to FFmpeg."""
    for number, (said, value) in enumerate(options):
        where, found = f"{path}[{number}]", _FOR.fullmatch(said.removeprefix("-"))
        name = found["name"] if found else said
        if found is None or name not in ALLOWED:
            hint = _hint(name, ALLOWED)
            yield f"{where}: {said[:64]!r} is no option that a recipe may give{hint}"
        elif name in PARAMETER_LISTS:
            yield from _list_problems(value, PARAMETER_LISTS[name], f"{where}: {name}")
        elif not (_TEXT if name == "metadata" else _PLAIN).fullmatch(value):
            what = "key=value" if name == "metadata" else "a plain word or number"
            yield f"{where}: the value of {name} must be {what}"


def misfit_problems(
    options: Sequence[tuple[str, str]], codec: str | None, passes: int, path: str
) -> Iterator[str]:
    """Yield a sentence for each list of parameters that is for another encoder.

    FFmpeg would pass over them without a word. ``codec`` is None where there is no picture.
    """
    fit = _list_for(codec, passes)
    for number, (said, _) in enumerate(options):
        name = _name_of(said)
        if name is not None and name in PARAMETER_LISTS and name != fit:
            hint = f"; allowed: {fit}" if fit else ""
            made = _made(codec, passes)
            yield f"{path}[{number}]: {name} is for {_WHOSE[name]}, and {made}{hint}"


def raw_words(options: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the options as FFmpeg's command line has them, in their order."""
    return tuple(
        word for name, value in options for word in (f"-{name.removeprefix('-')}", value)
    )


def raw_of_pictures(
    options: Sequence[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    """Return the options that are for encoders of pictures."""
    return tuple((name, value) for name, value in options if _is_of_pictures(name))


def _is_of_pictures(said: str) -> bool:
    name = _name_of(said)
    return name in _PICTURE_NAMES or name in PARAMETER_LISTS


def _name_of(said: str) -> str | None:
    """Return an option's name without the stream that it is for, None for none at all."""
    found = _FOR.fullmatch(said.removeprefix("-"))
    return None if found is None else found["name"]


def _list_for(codec: str | None, passes: int) -> str | None:
    """Return the list of parameters that a codec's encoder takes, if it takes one."""
    av1 = "svtav1-params" if passes == 1 else "aom-params"
    lists = {"h264": "x264-params", "hevc": "x265-params", "av1": av1}
    return lists.get(codec or "")


def _made(codec: str | None, passes: int) -> str:
    if codec is None or codec == "copy":
        return "no picture is encoded here"
    return f"this is {codec} in {'one pass' if passes == 1 else 'two passes'}"


def _hint(name: str, known: Collection[str]) -> str:
    if name in _OF_PASSES:
        return "; `passes` of `video` says how many there are"
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _list_problems(value: str, keys: frozenset[str], where: str) -> Iterator[str]:
    for pair in value.split(":"):
        key, _, given = pair.partition("=")
        if key not in keys and key.removeprefix("no-") not in keys:
            yield f"{where} may not hold {key[:64]!r}{_hint(key, keys)}"
        elif given and not _PLAIN.fullmatch(given):
            yield f"{where}: the value of {key} must be a plain word or number"
