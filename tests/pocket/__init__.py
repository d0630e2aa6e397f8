"""Pocket EC2: Amazon EC2 on this machine, whose instances run their real user data.

`pocket.Pocket` answers EC2's API itself where moto does not do as Amazon does (launches,
their client tokens, capacity, states, spot), and passes the rest on to moto's server. For
each instance it starts a stand-in machine: a set of namespaces on this host (`keeper`) with
an overlay of the host's root (`root`), in which a small init (`init`, `services`) runs the
user data and the systemd units that it writes.

What a host must give, and what was found with Linux 6.18 and util-linux 2.38:

* root, and new namespaces of mounts, network, PIDs, IPC, UTS and users. It is all done by
  system calls, and by `mount`, `umount` and `pivot_root` of util-linux, which Debian always
  has; nothing of the host's network is touched, so no `ip`, bridge or forwarding is needed;
* an overlay of `/` can be mounted by root in a mount namespace of its own, but not from
  within a new user namespace: there the mounts below `/` are locked to it. So the root is
  made first, and the user namespace afterwards. Users keep their numbers in it, but have no
  rights over anything outside: devices, mounts, clock, kernel settings, network interfaces.
  Being root's number, they would be root for the files of the host, could they see any;
* therefore, before anything else, the host's `/` is made read-only in the machine's mount
  namespace, and no user data runs before init has seen that its root is the overlay and
  nothing besides. Each step that fails ends the machine. The upper layer is a tmpfs that is
  mounted in that namespace alone: it is gone with the last process, as is all else;
* the network namespace has a loopback interface and no other. Its sockets listen on
  169.254.169.254:80 and on the very addresses of Amazon's doubles, and are handed out to
  the pocket, which answers. So an endpoint is the same inside and outside, nothing else can
  be reached, and nothing listens on the host that would not do so anyway;
* the keeper holds a socket to the pocket, and init one to the keeper. Whoever dies, the
  other end sees it, and the kernel kills a PID namespace with its init. So nothing is left
  that a later session would have to sweep.
"""
