"""Files, and storages joined into one."""

from media_nommer.adapters.objects.files import FileStorage
from media_nommer.adapters.objects.paths import file_url, path_of
from media_nommer.adapters.objects.routed import RoutedStorage

__all__ = ["FileStorage", "RoutedStorage", "file_url", "path_of"]
