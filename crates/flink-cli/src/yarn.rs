//! What belongs to YARN, so that it is refused in words rather than taken for a jar.

/// What to do instead of using YARN.
pub(crate) const INSTEAD: &str = "Use `-t kubernetes-application`, or `-t kubernetes-session` with \
     `-Dkubernetes.cluster-id`, and say with `-D` what the option said";

/// The options of YARN's sessions behind `y`, and their long names behind `yarn`.
const SHORT: [&str; 16] = [
    "yat", "yD", "yd", "yh", "yid", "yj", "yjm", "ynl", "ynm", "yq", "yqu", "ys", "yst", "yt",
    "ytm", "yz",
];

/// The name of the option of YARN that this argument is.
pub(crate) fn option(token: &str) -> Option<&str> {
    if let Some(long) = token.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or(long);
        return name.starts_with("yarn").then_some(name);
    }
    let rest = token.strip_prefix('-')?;
    let name = rest.split('=').next().unwrap_or(rest);
    if name.starts_with("yD") {
        return Some("yD");
    }
    (SHORT.contains(&name) || name.starts_with("yarn")).then_some(name)
}

/// Whether a target, or the value of `-m`, means YARN.
pub(crate) fn is_target(name: &str) -> bool {
    name.trim().to_ascii_lowercase().starts_with("yarn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_yarn_are_known_in_every_form() {
        for (token, name) in
            [("-yD", "yD"), ("-yDa=b", "yD"), ("-yjm", "yjm"), ("--yarnname=x", "yarnname")]
        {
            assert_eq!(option(token), Some(name), "{token}");
        }
        for token in ["yarn.jar", "-y", "-yes", "-p", "local:///yarn.jar"] {
            assert_eq!(option(token), None, "{token}");
        }
    }
}
