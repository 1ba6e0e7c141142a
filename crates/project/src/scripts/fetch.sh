#!/bin/sh
# Brings one commit of a repository into the workspace. What a user wrote comes in the environment, and never as shell.
set -eu
umask 022
export HOME="$WORKSPACE/home" GIT_TERMINAL_PROMPT=0
checkout=$WORKSPACE/checkout
files=${FLUMEN_FILES:-/flumen}

command -v git >/dev/null 2>&1 || { echo "flumen: the image has no git" >&2; exit 90; }
mkdir -p "$HOME"
rm -rf "$checkout"

case $ACCESS in
basic)
    # Only for this origin: what a redirect leads to gets nothing.
    set -- -c credential.helper= -c "credential.$ORIGIN.helper=$files/scripts/credential.sh"
    ;;
ssh)
    export GIT_SSH_COMMAND="ssh -F /dev/null -i $files/credentials/ssh-privatekey -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$files/credentials/known_hosts -o ConnectTimeout=30"
    set --
    ;;
*)
    set -- -c credential.helper=
    ;;
esac

git init --quiet "$checkout"
cd "$checkout"
git remote add origin "$REPOSITORY"

is_commit() {
    case $1 in
    *[!0-9a-f]*) return 1 ;;
    esac
    [ ${#1} -eq 40 ] || [ ${#1} -eq 64 ]
}

if is_commit "$REF"; then
    commit=$REF
else
    case $REF in
    HEAD | refs/*) found=$(git "$@" ls-remote origin "$REF" "$REF^{}") ;;
    *) found=$(git "$@" ls-remote origin "refs/heads/$REF" "refs/tags/$REF" "refs/tags/$REF^{}") ;;
    esac
    whole='' branch='' tag=''
    # A tag with a message of its own is followed by the commit that it stands for.
    while read -r id name; do
        case $name in
        "refs/heads/$REF") branch=$id ;;
        "refs/tags/$REF" | "refs/tags/$REF^{}") tag=$id ;;
        "$REF" | "$REF^{}") whole=$id ;;
        esac
    done <<FOUND
$found
FOUND
    if [ -n "$branch" ] && [ -n "$tag" ] && [ "$branch" != "$tag" ]; then
        echo "flumen: $REF is a branch and a tag" >&2
        exit 92
    fi
    commit=${whole:-${branch:-$tag}}
    if [ -z "$commit" ]; then
        echo "flumen: the repository has no branch and no tag $REF" >&2
        exit 91
    fi
fi
echo "flumen: $REF of $REPOSITORY is commit $commit"

if ! git "$@" fetch --quiet --no-tags --depth 1 origin "$commit" 2>"$WORKSPACE/refusal"; then
    echo "flumen: the commit is not given by itself ($(head -n 1 "$WORKSPACE/refusal")); all branches and tags are fetched"
    git "$@" fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
fi
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "flumen: no branch and no tag of the repository has the commit $commit" >&2
    exit 93
fi
git checkout --quiet --detach "$commit"
[ ! -e .gitmodules ] || echo "flumen: submodules are not fetched"
! grep -qs 'filter=lfs' .gitattributes || echo "flumen: files that Git LFS keeps are not fetched"
if [ ! -d "$checkout/$DIRECTORY" ]; then
    echo "flumen: the commit has no directory $DIRECTORY" >&2
    exit 94
fi
printf '%s\n' "$commit" >"${TERMINATION_LOG:-/dev/termination-log}"
