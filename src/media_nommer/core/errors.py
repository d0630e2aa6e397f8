"""Every error media-nommer raises on purpose.

NommerError
├── BadRequest               the caller sent something we cannot accept
│   ├── InvalidRecipe        a recipe that does not say something we can do
│   ├── UnknownPreset
│   ├── InvalidSetting
│   ├── UnsupportedUrl       no storage serves this scheme
│   ├── PathNotAllowed       a file outside the allowed roots
│   ├── InvalidCursor
│   ├── RecordTooLarge       a record does not fit into the store
│   ├── NoSealingKey         a recipe has secrets, and there is no key to seal them with
│   └── IdempotencyConflict  a key was used again for another job
├── NotFound
│   ├── JobNotFound
│   ├── TaskNotFound
│   └── NodeNotFound
├── AlreadyExists            a record with this id is there
├── IllegalTransition        a record was asked to move where it may not go
│   └── SecretsGone          what it would take was deleted when the job ended
├── JobArchived              the job has gone to the archive and cannot change
├── Overtaken                someone changed the record first; read it again
├── LeaseLost                the queue has handed this delivery to someone else
├── WorkStopped              work that must be dropped, though nothing failed
│   ├── Fenced               someone holds a newer claim
│   ├── JobOver              the job became final meanwhile
│   └── HandedBack           the worker is leaving
│       └── Reclaimed        its machine is taken away
├── ServiceUnavailable       a store or queue does not answer
│   └── StoreFull
├── LaunchFailed             no machine can be started for a node
│   ├── NoCapacity           there is none to be had now
│   └── QuotaReached         the account has as many as it may have
├── DataDirInUse             another feederd runs on this data directory
├── StorageError
│   ├── SourceNotFound
│   ├── NoBucket
│   ├── StorageRefused       it will not take what was sent
│   ├── SourceRefused        its server will not give it as it is asked for
│   ├── AccessDenied
│   ├── NoSpace
│   ├── OutputExists
│   └── OutputChanged        somebody else wrote to the destination meanwhile
├── MediaError               the source cannot be encoded, however often we try
│   ├── EmptySource
│   ├── NotMedia
│   ├── NoStreams
│   ├── TruncatedMedia
│   └── SourceDamaged
├── EncodeError              the encoder refused
│   ├── EncoderCrashed       the encoder died without saying why
│   ├── EncoderStalled       no progress for too long
│   ├── ReaderTimeout        looking into a file took too long
│   ├── EncoderLimit         the encoder crossed a limit that we set
│   ├── CodecMissing         this FFmpeg has no such encoder
│   ├── ExpectationMissed    an output is not what the recipe expects it to come to
│   ├── NommerMissing        the worker has no nommer for an own kind of output
│   ├── NommerBroken         an own nommer cannot be loaded, or is none
│   ├── NommerFailed         an own nommer failed in a way that it did not mean to
│   ├── OthersFailed         an output is made of others, some of which failed
│   ├── CipherMissing        what encrypts outputs is not installed
│   ├── SecretUnreadable     a worker cannot open what was sealed
│   └── OutputDamaged        the encoder said all was well, and it was not
├── EncoderMissing           there is no usable FFmpeg
└── SetupFailed              an installation could not be set up, or taken down

Class attributes carry policy, so that no caller keeps its own list of types: ``code`` is
what an answer names and never changes, ``retryable`` is what the worker asks, ``advice`` is
what a person can do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


class NommerError(Exception):
    """Base of the tree above.

    ``advice`` says what to do; where it is not given, the class has a general one.
    ``log_tail`` holds the last lines that an encoder or probe printed.
    """

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False
    default_advice: ClassVar[str] = ""

    def __init__(
        self, message: str, *, advice: str | None = None, log_tail: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = self.default_advice if advice is None else advice
        self.log_tail = tuple(log_tail)


class BadRequest(NommerError):
    """The request is wrong and will stay wrong."""

    code = "BAD_REQUEST"


class InvalidRecipe(BadRequest):
    """The recipe does not say something that can be done."""

    code = "INVALID_RECIPE"


class UnknownPreset(BadRequest):
    """No preset has this name."""

    code = "UNKNOWN_PRESET"
    default_advice = "`nommer presets` lists them all."


class InvalidSetting(BadRequest):
    """A setting has a value that cannot be used."""

    code = "INVALID_SETTING"
    default_advice = "`nommer config` shows what is in force and where it came from."


class UnsupportedUrl(BadRequest):
    """No configured storage serves this URL."""

    code = "UNSUPPORTED_URL"


class PathNotAllowed(BadRequest):
    """A file lies outside the roots that this service may touch."""

    code = "PATH_NOT_ALLOWED"
    default_advice = "Add its folder to `file_roots` in the settings of feederd."


class InvalidCursor(BadRequest):
    """A page was asked for with a cursor that no list call has given."""

    code = "INVALID_CURSOR"
    default_advice = "Start again without a cursor."


class IdempotencyConflict(BadRequest):
    """An Idempotency-Key was used again, for a job with other content."""

    code = "IDEMPOTENCY_CONFLICT"
    default_advice = "Give each new job a key of its own."


class RecordTooLarge(BadRequest):
    """A record does not fit into the store that is to keep it."""

    code = "RECORD_TOO_LARGE"
    default_advice = (
        "Let the job make fewer files: longer segments, fewer outputs or renditions. "
        "A store on PostgreSQL has no such limit."
    )


class NoSealingKey(BadRequest):
    """The recipe has secrets, which could only be kept in the clear."""

    code = "NO_SEALING_KEY"
    default_advice = (
        "Install the extra `drm` and set `sealing_key`, for feederd and all of its "
        "workers; with machines on EC2 to an ssm:// one: docs/encryption.md."
    )


class NotFound(NommerError):
    """Nothing has this id."""

    code = "NOT_FOUND"


class JobNotFound(NotFound):
    """No job has this id."""

    code = "JOB_NOT_FOUND"
    default_advice = "`nommer jobs` lists the jobs that are known."


class TaskNotFound(NotFound):
    """No task has this id."""

    code = "TASK_NOT_FOUND"


class NodeNotFound(NotFound):
    """No node has this id."""

    code = "NODE_NOT_FOUND"


class AlreadyExists(NommerError):
    """A record with this id is there already."""

    code = "ALREADY_EXISTS"


class IllegalTransition(NommerError):
    """A record was asked to move to a state that its own does not lead to."""

    code = "ILLEGAL_TRANSITION"


class SecretsGone(IllegalTransition):
    """The keys that a job was given are deleted when it is final."""

    code = "SECRETS_GONE"
    default_advice = "Submit it anew, with its keys."


class JobArchived(NommerError):
    """The job ended long ago and has gone to the archive, where nothing changes."""

    code = "JOB_ARCHIVED"
    default_advice = (
        "Submit it anew; with an Idempotency-Key, use one that was not used before."
    )


class Overtaken(NommerError):
    """Someone changed the record first; read it again and decide anew."""

    code = "OVERTAKEN"
    retryable = True


class LeaseLost(NommerError):
    """The queue has taken this delivery back."""

    code = "LEASE_LOST"
    retryable = True


class WorkStopped(NommerError):
    """Work must be dropped now, though nothing went wrong with it."""

    code = "WORK_STOPPED"
    retryable = True


class Fenced(WorkStopped):
    """Someone holds a newer claim on the task; drop the work quietly."""

    code = "FENCED"


class JobOver(WorkStopped):
    """The job became final while its task was being worked on."""

    code = "JOB_OVER"


class HandedBack(WorkStopped):
    """The worker is leaving and gives its task to another."""

    code = "HANDED_BACK"


class Reclaimed(HandedBack):
    """The machine is taken away, and the worker with it; the task goes to another."""

    code = "RECLAIMED"


class ServiceUnavailable(NommerError):
    """A store or queue does not answer; it is waited for."""

    code = "SERVICE_UNAVAILABLE"
    retryable = True


class StoreFull(ServiceUnavailable):
    """The store holds as much as it can; what is submitted waits for room."""

    code = "STORE_FULL"
    default_advice = (
        "Let old jobs be moved out sooner (`keep_jobs_for`), or choose a larger store."
    )


class LaunchFailed(NommerError):
    """No machine was started for a node, and none will be: another node may fare better."""

    code = "LAUNCH_FAILED"
    retryable = True


class NoCapacity(LaunchFailed):
    """There is no machine of the wanted types to be had now."""

    code = "NO_CAPACITY"
    default_advice = (
        "Nothing, if it passes: it is tried again. More `instance_types`, and `subnets` in "
        "more zones, make it rarer."
    )


class QuotaReached(LaunchFailed):
    """The account has as many machines as it may have."""

    code = "QUOTA_REACHED"
    default_advice = (
        "Ask AWS for a higher quota of vCPUs (in Service Quotas, under Amazon EC2: one for "
        "spot and one for on-demand), or lower `max_nodes`."
    )


class DataDirInUse(NommerError):
    """Another feederd already works on this data directory."""

    code = "DATA_DIR_IN_USE"
    default_advice = "Stop the other one, or give this one its own --data-dir."


class StorageError(NommerError):
    """Reading or writing media failed; usually worth another try."""

    code = "STORAGE"
    retryable = True


class SourceNotFound(StorageError):
    """There is nothing at the URL of the source."""

    code = "SOURCE_NOT_FOUND"
    retryable = False
    default_advice = "Check the path or URL."


class NoBucket(StorageError):
    """The bucket of a URL is not there."""

    code = "NO_BUCKET"
    retryable = False
    default_advice = "Check the name of the bucket, and the account that this runs in."


class StorageRefused(StorageError):
    """The storage will not take what was sent, ever."""

    code = "STORAGE_REFUSED"
    retryable = False


class SourceRefused(StorageError):
    """The source cannot be had from where it is, however often we ask."""

    code = "SOURCE_REFUSED"
    retryable = False
    default_advice = "Put the file where it can be downloaded, or give another URL."


class AccessDenied(StorageError):
    """The storage is there and lets us not in."""

    code = "ACCESS_DENIED"
    retryable = False
    default_advice = "Check the permissions of the user that runs media-nommer."


class NoSpace(StorageError):
    """There is too little room on a disk."""

    code = "NO_SPACE"
    default_advice = "Free some space, or set `scratch_dir` to a larger disk."


class OutputExists(StorageError):
    """The destination holds something that is not ours, and may not be replaced."""

    code = "OUTPUT_EXISTS"
    retryable = False
    default_advice = 'Choose another destination or name, or set `if_exists` to "replace".'


class OutputChanged(StorageError):
    """Somebody else wrote to the destination while we were publishing to it."""

    code = "OUTPUT_CHANGED"
    retryable = False
    default_advice = "See who else writes there, then retry the job."


class MediaError(NommerError):
    """The source cannot be encoded, however often we try."""

    code = "MEDIA"


class EmptySource(MediaError):
    """The source has no bytes."""

    code = "EMPTY_SOURCE"
    default_advice = "The file has no content: check that its upload or copy was complete."


class NotMedia(MediaError):
    """The source is not in a format that we read."""

    code = "NOT_MEDIA"
    default_advice = "Send a video, sound or picture file."


class NoStreams(MediaError):
    """The source has none of the streams that the recipe needs."""

    code = "NO_STREAMS"
    default_advice = "`nommer probe FILE` shows what the file holds."


class TruncatedMedia(MediaError):
    """The source ends before its own headers say it does."""

    code = "TRUNCATED"
    default_advice = "The file is cut short: fetch or upload it again."


class SourceDamaged(MediaError):
    """Too much of the source cannot be decoded."""

    code = "SOURCE_DAMAGED"
    default_advice = "Fetch or upload the file again, or repair it first."


class EncodeError(NommerError):
    """The encoder refused the media or the options."""

    code = "ENCODE"


class EncoderCrashed(EncodeError):
    """The encoder died without saying why: killed, out of memory, a bug in it."""

    code = "ENCODER_CRASHED"
    retryable = True


class EncoderStalled(EncodeError):
    """The encoder made no progress for longer than `stall_timeout`."""

    code = "ENCODER_STALLED"
    retryable = True


class ReaderTimeout(EncodeError):
    """Looking into a file took too long, which may be the machine's fault."""

    code = "READER_TIMEOUT"
    retryable = True
    default_advice = "The machine or its disk may be overloaded: try again later."


class EncoderLimit(EncodeError):
    """The encoder crossed a limit on time, memory or disk that we set."""

    code = "ENCODER_LIMIT"
    default_advice = (
        "If the source is to be trusted, raise `encoder_timeout` or `encoder_memory`."
    )


class CodecMissing(EncodeError):
    """The FFmpeg of the worker was built without an encoder that an output needs."""

    code = "CODEC_MISSING"
    default_advice = (
        "Set `ffmpeg` on the workers to a build that has it, or choose another codec."
    )


class OutputDamaged(EncodeError):
    """The encoder exited well and left a short or damaged file."""

    code = "OUTPUT_DAMAGED"
    retryable = True


class ExpectationMissed(EncodeError):
    """An output was made, and is not what the recipe expects it to come to."""

    code = "EXPECTATION_MISSED"
    default_advice = "Change the output, or what it says in `expect`; then submit it anew."


class CipherMissing(EncodeError):
    """What encrypts outputs is not installed on this worker."""

    code = "CIPHER_MISSING"
    default_advice = (
        "pip install 'media-nommer[drm]' wherever workers run. Machines of EC2 have it "
        "after `nommer aws up` with a `sealing_key`."
    )


class SecretUnreadable(EncodeError):
    """What was sealed does not open with the key that this worker has."""

    code = "SECRET_UNREADABLE"
    default_advice = "Give feederd and all workers the same `sealing_key`."


class OthersFailed(EncodeError):
    """An output is made of the others, and not all of them were made."""

    code = "OTHERS_FAILED"
    default_advice = "See why the others failed; a retry of the job makes this one too."


class NommerMissing(EncodeError):
    """No nommer of the worker makes outputs of this kind."""

    code = "NOMMER_MISSING"
    default_advice = (
        "Install the package that registers it on the workers as well, then retry the job."
    )


class NommerBroken(EncodeError):
    """A nommer that a package registers cannot be loaded, or is none."""

    code = "NOMMER_BROKEN"
    default_advice = "Repair or upgrade its package, then retry the job."


class NommerFailed(EncodeError):
    """A nommer of another package raised what it did not mean to, or told nonsense."""

    code = "NOMMER_FAILED"
    retryable = True
    default_advice = "The log of the attempt has the details, for whoever wrote it."


class EncoderMissing(NommerError):
    """There is no FFmpeg that can be run."""

    code = "ENCODER_MISSING"
    default_advice = "Reinstall media-nommer, or set `ffmpeg` to the path of an FFmpeg."


class SetupFailed(NommerError):
    """An installation could not be set up, changed or taken down as was asked."""

    code = "SETUP_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong, as it is kept in records and told to people (rule 10)."""

    code: str
    message: str
    advice: str = ""
    retryable: bool = False
    log_tail: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: NommerError) -> Self:
        """Return what ``error`` says, ready to be stored."""
        return cls(
            code=error.code,
            message=_storable(error.message),
            advice=_storable(error.advice),
            retryable=error.retryable,
            log_tail=tuple(map(_storable, error.log_tail)),
        )


def _storable(text: str) -> str:
    """Return a text that any store takes: names of files need not be Unicode."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
