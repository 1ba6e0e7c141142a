//! What a process finds inside its container.

use flumen_kubelet::{Access, Exit};

use crate::workshop::{Workshop, mount};

#[tokio::test]
async fn the_command_is_the_first_process_of_its_own_world() {
    let workshop = Workshop::with_pod().await;
    let script = "echo $$ > /dev/stdout; hostname; cat /greeting; echo $GREETING; ls /proc | grep -c '^[0-9]'; readlink /proc/self/fd/0; cat /proc/self/uid_map; exit 7";
    let ended = workshop.run(&workshop.shell("one", script)).await;
    assert_eq!(ended.stderr, "");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[..4], ["1", "pod-one", "from the image", "hello"]);
    // The shell, ls and grep: nothing of the host is seen.
    assert!(lines[4].parse::<u32>().unwrap() <= 4, "{lines:?}");
    assert_eq!(lines[5], "/dev/null");
    assert_eq!(lines[6].split_whitespace().collect::<Vec<_>>(), ["0", "1000000", "65536"]);
    assert_eq!(ended.exit, Exit::Code(7));
}

#[tokio::test]
async fn java_of_the_host_runs() {
    let workshop = Workshop::with_pod().await;
    let ended = workshop.run(&workshop.container("java", &["java", "-version"])).await;
    assert_eq!(ended.exit, Exit::Code(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("17."), "{}", ended.stderr);
}

#[tokio::test]
async fn root_inside_owns_the_image_and_nothing_of_the_host() {
    let workshop = Workshop::with_pod().await;
    let shared = workshop.make("shared");
    let mut container = workshop.shell(
        "root",
        "id -u; echo changed > /greeting && cat /greeting; touch /usr/x 2>&1; touch /shared/x 2>&1; \
         echo 1 > /proc/sys/kernel/panic; mkdir /new/deep 2>&1; stat -c %u:%g /new /dev /tmp; mount -t tmpfs none /tmp 2>&1; \
         grep -E 'Cap(Bnd|Eff)|NoNewPrivs' /proc/self/status",
    );
    container.mounts.push(mount(&shared, "/shared", Access::Full));
    container.working_directory = "/new".into();
    let ended = workshop.run(&container).await;
    let text = ended.stdout;
    assert!(text.starts_with("0\nchanged\n"), "{text}");
    assert!(text.contains("touch: cannot touch '/usr/x': Read-only file system"), "{text}");
    assert!(text.contains("touch: cannot touch '/shared/x': Permission denied"), "{text}");
    assert!(ended.stderr.contains("/proc/sys/kernel/panic"), "{}", ended.stderr);
    assert!(text.contains("0:0\n0:0\n0:0\n"), "{text}");
    assert!(text.contains("mount: /tmp: permission denied"), "{text}");
    assert!(
        text.contains("CapEff:\t00000000a80425fb") && text.contains("NoNewPrivs:\t1"),
        "{text}"
    );
    assert_eq!(
        std::fs::read_to_string(workshop.path("layers/base/greeting")).unwrap(),
        "from the image\n"
    );
}
