#!/usr/bin/env bash
# A Slurm cluster of this one machine, to try the array script on: one_node.sh FOLDER, as root, with Debian's packages
# munge, slurmctld, slurmd and slurm-client. It needs no cgroups, so a container will do. FOLDER then holds slurm.conf
# for SLURM_CONF, the logs, and the process ids (*.pid) by which it is ended.
set -euo pipefail
mkdir -p "$1/state" "$1/spool" /run/munge
folder=$(realpath "$1")
host=$(hostname -s)
chown munge: /run/munge
[ -s /etc/munge/munge.key ] || /usr/sbin/mungekey --create
chown munge: /etc/munge/munge.key
munge --no-input >/dev/null 2>&1 || runuser -u munge -- /usr/sbin/munged
memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
cat >"$folder/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
export SLURM_CONF=$folder/slurm.conf
/usr/sbin/slurmctld -f "$SLURM_CONF"
/usr/sbin/slurmd -f "$SLURM_CONF"
for _ in $(seq 60); do
    if sinfo --noheader --format=%T 2>/dev/null | grep -qx idle; then
        exit 0
    fi
    sleep 0.5
done
echo "the node did not become idle; see $folder/*.log" >&2
exit 1
