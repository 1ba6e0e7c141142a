//! What belongs to YARN, so that it is refused in words rather than taken for a jar.

/// What to do instead of using YARN.
pub(crate) const INSTEAD: &str = "Use `-t kubernetes-application`, or `-t kubernetes-session` with \
     `-Dkubernetes.cluster-id`, and say with `-D` what the option said.";

/// The options of YARN's sessions behind `y`, and their long names behind `yarn`.
const SHORT: [&str; 16] = [
    "yat", "yD", "yd", "yh", "yid", "yj", "yjm", "ynl", "ynm", "yq", "yqu", "ys", "yst", "yt",
    "ytm", "yz",
];

/// The option of YARN that this argument is, without its value.
pub(crate) fn option(token: &str) -> Option<&str> {
    let option = token.split('=').next().unwrap_or(token);
    if let Some(long) = option.strip_prefix("--") {
        return long.starts_with("yarn").then_some(option);
    }
    let name = option.strip_prefix('-')?;
    if name.starts_with("yD") {
        return option.get(..3);
    }
    (SHORT.contains(&name) || name.starts_with("yarn")).then_some(option)
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
            [("-yD", "-yD"), ("-yDa=b", "-yD"), ("-yjm", "-yjm"), ("--yarnname=x", "--yarnname")]
        {
            assert_eq!(option(token), Some(name), "{token}");
        }
        for token in ["yarn.jar", "-y", "-yes", "-p", "local:///yarn.jar"] {
            assert_eq!(option(token), None, "{token}");
        }
    }
}
