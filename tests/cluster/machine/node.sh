#!/bin/bash
# A node from inside: runs in the node's network namespace and a mount namespace of its own, with the
# variables NODE, CGROUP, ADDRESS, FOLDER, STATE, BINARIES, PODS and PAUSE set. Its processes never end by
# themselves; what ends them is a crash of the node, and then all mounts made here are gone as well.
set -eu

# What containers leave on a machine is this node's alone, and gone when it crashes, as after a boot.
for place in /run/containerd /run/netns /var/lib/cni /var/log/containers; do
  mkdir -p "$place"
  mount -t tmpfs node "$place"
done
# No name server: an image that is not here fails at once, not when a look-up has timed out.
mount --bind "$STATE/resolv.conf" /etc/resolv.conf

controllers_of_v1() {
  # Beside v1 controllers crun and the kubelet need the empty v2 mount out of sight.
  umount /sys/fs/cgroup/unified 2>/dev/null || true
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
    if [ -d "/sys/fs/cgroup/$controller" ]; then mkdir -p "/sys/fs/cgroup/$controller/$CGROUP"; fi
  done
  for file in cpus mems; do
    cat "/sys/fs/cgroup/cpuset/cpuset.$file" > "/sys/fs/cgroup/cpuset/$CGROUP/cpuset.$file"
  done
}

controllers_of_v2() {
  local root=/sys/fs/cgroup all enable
  read -ra all < $root/cgroup.controllers
  enable="${all[*]/#/+}"
  # In a container the root has processes, and such a group may hand nothing down.
  if ! echo "$enable" 2>/dev/null > $root/cgroup.subtree_control; then
    mkdir -p $root/sturdis-machine
    while read -r pid; do echo "$pid" 2>/dev/null > $root/sturdis-machine/cgroup.procs || true; done < $root/cgroup.procs
    echo "$enable" > $root/cgroup.subtree_control
  fi
  mkdir -p "$root/$CGROUP"
  echo "$enable" > "$root/$CGROUP/cgroup.subtree_control"
}

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then controllers_of_v2; else controllers_of_v1; fi

ctr() { command ctr --address "$FOLDER/containerd.sock" --namespace k8s.io "$@"; }
log() { cat >> "$STATE/log/$NODE-$1.log" 2>&1; }

containerd --config "$FOLDER/containerd.toml" 2>&1 | log containerd &
until ctr version > /dev/null 2>&1; do sleep 0.1; done

import_images() {
  while read -r archive; do ctr images import "$archive" 2>&1; done < "$STATE/images"
  touch "$FOLDER/images"
}
if [ ! -e "$FOLDER/images" ]; then
  ctr images import "$PAUSE" 2>&1 | log images
  import_images | log images &
fi

"$BINARIES/kube-proxy" --kubeconfig "$STATE/pki/agents.kubeconfig" --proxy-mode nftables \
  --hostname-override "$NODE" --cluster-cidr "$PODS" --conntrack-max-per-core 0 2>&1 | log proxy &
exec "$BINARIES/kubelet" --config "$FOLDER/kubelet.json" --kubeconfig "$STATE/pki/agents.kubeconfig" \
  --hostname-override "$NODE" --node-ip "$ADDRESS" --root-dir "$FOLDER/kubelet" --cert-dir "$FOLDER/kubelet/pki"
