#!/bin/sh
# What `handlens run hello` is measured against: the same by hand, as well as a script can do it.
#
#     hello_by_hand.sh PORT PYTHON
#
# tcpdump and the server start side by side; the client starts when both have said that they are
# ready; the packets are shown when all is over. Nothing sleeps. Takes root, or a network namespace
# of one's own.
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/tcpdump" "$folder/server"
# Without --immediate-mode the last packets would come up to a second late.
tcpdump -i lo --immediate-mode -U -w "$folder/hello.pcap" "tcp port $1" 2>"$folder/tcpdump" &
tcpdump=$!
"$2" "$here/hello_server.py" "$1" >"$folder/server" &
server=$!
exec 3<"$folder/tcpdump" 4<"$folder/server"
until read -r line <&3 && case $line in *"listening on"*) true ;; *) false ;; esac; do :; done
read -r line <&4
"$2" "$here/hello_client.py" "$1"
wait "$server"
kill -INT "$tcpdump"
wait "$tcpdump"
cat <&4
tcpdump -nn -r "$folder/hello.pcap"
