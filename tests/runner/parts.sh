# The engine of `make test`: runs parts side by side, each as soon as the parts that it needs have ended well.
# Sourced by all.sh, which says what the parts are; tests/runner.rs plays it with parts of its own.
#
#   part [-n NICE] [-s SHOW] NAME [NEEDS...] -- COMMAND [ARGUMENTS...]
#       declares a part. NICE is the niceness of its processes; SHOW is an extended regular expression for those lines of
#       its output that are shown although it ends well. NEEDS are parts that were declared before: NAME has to end well,
#       +NAME only has to end.
#   run_parts FOLDER
#       runs all of them and fails if one of them fails. Each part writes to a log of its own in FOLDER, so that outputs
#       are never mixed; the log of a part that fails is printed, and its last reasons once more at the very end.
#
# Each part leads a process group. On INT, TERM and HUP the groups that were started here are ended, and nothing else.

# The lines of a failed part that say why it failed, in the words of cargo, of its tests and of our own programs.
part_reasons='^error|^test .* FAILED|panicked at|^FAILED |^failed: |^NOT CAUGHT|^FLAGGED|^conformance: (NOT|not|[^ ]*/)|^faults: .*(fewer than|more than|must say|listed, and|nothing was)|is stale'

declare -a part_names=()
declare -A part_nice=() part_show=() part_needs=() part_command=() part_state=() part_began=() part_took=() part_group=()

part() {
  local nice=0 show='' option OPTIND=1 OPTARG
  while getopts n:s: option; do
    case $option in
      n) nice=$OPTARG ;;
      s) show=$OPTARG ;;
      *) return 2 ;;
    esac
  done
  shift $((OPTIND - 1))
  local name=$1 needs=()
  shift
  while [ "$1" != -- ]; do
    [ -n "${part_state[${1#+}]:-}" ] || { echo "part $name needs $1, which is not declared before it" >&2; return 2; }
    needs+=("$1")
    shift
  done
  shift
  part_names+=("$name")
  part_nice[$name]=$nice
  part_show[$name]=$show
  part_needs[$name]=$(printf '%s\n' "${needs[@]}")
  part_command[$name]=$(printf '%q ' "$@")
  part_state[$name]=waiting
}

# 65 seconds are 1:05.
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

say() { printf '%s\n' "$*"; }

log_of() { printf '%s/%s.log' "$part_logs" "${1// /-}"; }

# ready, waiting, or lost: one of its needs did not end as it has to.
outlook() {
  local need state outlook=ready
  while read -r need; do
    state=ok
    [ -z "$need" ] || state=${part_state[${need#+}]}
    case $need:$state in
      *:ok | +*:failed | +*:left-out) ;;
      *:failed | *:left-out) outlook=lost && break ;;
      *) outlook=waiting ;;
    esac
  done <<<"${part_needs[$1]}"
  echo "$outlook"
}

start_part() {
  local name=$1
  part_state[$name]=running
  part_began[$name]=$SECONDS
  set -m # gives the job a process group of its own
  (
    set +m
    exec </dev/null >"$(log_of "$name")" 2>&1
    renice -n "${part_nice[$name]}" "$BASHPID" >/dev/null
    eval "${part_command[$name]}"
  ) &
  set +m
  part_group[$name]=$!
}

end_part() {
  local name=$1 status=$2
  part_took[$name]=$((SECONDS - part_began[$name]))
  part_state[$name]=$([ "$status" = 0 ] && echo ok || echo failed)
  unset "part_group[$name]"
  say "$(printf '%-8s %-20s %6s' "${part_state[$name]}" "$name" "$(clock "${part_took[$name]}")")"
  if [ "$status" != 0 ]; then
    say "----- $name ended with $status; its output ($(log_of "$name")):"
    cat "$(log_of "$name")"
    say "----- end of the output of $name"
  elif [ -n "${part_show[$name]}" ]; then
    grep -E "${part_show[$name]}" "$(log_of "$name")" | sed 's/^/           /' || true
  fi
}

# What runs now and the last line that each of them wrote: a silent minute looks like a hang.
tell_what_runs() {
  local name last
  for name in "${part_names[@]}"; do
    [ "${part_state[$name]}" = running ] || continue
    last=$(tail -c 400 "$(log_of "$name")" | tail -n 1 | cut -c 1-80)
    say "$(printf '%-8s %-20s %6s  %s' running "$name" "$(clock $((SECONDS - part_began[$name])))" "$last")"
  done
}

# Ends the groups that were started here and still run: first politely, after PART_GRACE seconds for certain.
end_groups() {
  local signal name deadline
  for signal in TERM KILL; do
    for name in "${!part_group[@]}"; do
      kill -s "$signal" -- "-${part_group[$name]}" 2>/dev/null || unset "part_group[$name]"
    done
    deadline=$((SECONDS + ${PART_GRACE:-10}))
    while [ ${#part_group[@]} -gt 0 ] && [ "$SECONDS" -lt "$deadline" ]; do
      for name in "${!part_group[@]}"; do
        kill -0 -- "-${part_group[$name]}" 2>/dev/null || unset "part_group[$name]"
      done
      sleep 0.1
    done
  done
}

interrupted() {
  trap '' INT TERM HUP
  say "interrupted by $1: ending what runs ..."
  exit 130
}

# However this script ends: nothing that it started goes on.
end_all() {
  [ -z "$part_ticker" ] || kill "$part_ticker" 2>/dev/null || true
  end_groups
}

table() {
  local name
  say ''
  say "$(printf '%-20s %-9s %7s %7s' part result began took)"
  for name in "${part_names[@]}"; do
    if [ "${part_state[$name]}" = left-out ]; then
      say "$(printf '%-20s %s' "$name" 'left out')"
    else
      say "$(printf '%-20s %-9s %7s %7s' "$name" "${part_state[$name]}" "$(clock "${part_began[$name]}")" "$(clock "${part_took[$name]}")")"
    fi
  done
  say "$(printf '%-20s %-9s %7s %7s' all "$1" '' "$(clock "$SECONDS")")"
}

# Who sees only the end of a long output sees why it failed.
reasons() {
  local name
  for name in "${part_names[@]}"; do
    [ "${part_state[$name]}" = failed ] || continue
    (grep -E "$part_reasons" "$(log_of "$name")" || tail -n 3 "$(log_of "$name")") | tail -n 5 | cut -c 1-300 | sed "s/^/$name: /"
  done
}

run_parts() {
  part_logs=$1
  mkdir -p "$part_logs"
  SECONDS=0
  trap 'interrupted INT' INT
  trap 'interrupted TERM' TERM
  trap 'interrupted HUP' HUP
  part_ticker=
  trap end_all EXIT
  local name changed ended status result=ok
  while :; do
    changed=yes
    while [ -n "$changed" ]; do
      changed=
      for name in "${part_names[@]}"; do
        [ "${part_state[$name]}" = waiting ] || continue
        case $(outlook "$name") in
          ready) start_part "$name" ;;
          lost) part_state[$name]=left-out changed=yes ;;
        esac
      done
    done
    [ ${#part_group[@]} -gt 0 ] || break
    if [ -z "$part_ticker" ]; then
      sleep "${PART_TICK:-30}" &
      part_ticker=$!
    fi
    status=0
    wait -n -p ended "${part_group[@]}" "$part_ticker" || status=$?
    if [ "$ended" = "$part_ticker" ]; then
      part_ticker=
      tell_what_runs
      continue
    fi
    for name in "${!part_group[@]}"; do
      [ "${part_group[$name]}" != "$ended" ] || end_part "$name" "$status"
    done
  done
  for name in "${part_names[@]}"; do
    [ "${part_state[$name]}" = ok ] || result=failed
  done
  table "$result"
  reasons
  [ "$result" = ok ]
}
