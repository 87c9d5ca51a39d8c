//! The size and free space of a disk, as `df` prints them.

/// The size and free space of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// Its size in bytes.
    pub(super) total_bytes: u64,
    /// Bytes that an ordinary user may still write.
    pub(super) free_bytes: u64,
}

/// Reads `df -Pk` of one folder (recorded from GNU coreutils 9.1; `BusyBox` 1.35 prints the same columns).
///
/// Names of devices and folders may hold blanks, so the columns are located from the one that ends in `%`.
pub(super) fn parse(text: &str) -> Option<Disk> {
    let line = text.lines().nth(1)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let capacity = words.windows(4).position(|window| {
        window[3].ends_with('%')
            && window[..3]
                .iter()
                .all(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
    })?;
    Some(Disk {
        total_bytes: words[capacity].parse::<u64>().ok()?.checked_mul(1024)?,
        free_bytes: words[capacity + 2].parse::<u64>().ok()?.checked_mul(1024)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Disk, parse};

    #[test]
    fn df_with_and_without_blanks_in_names() {
        let head = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n";
        let plain = "/dev/vda         264212084 22755520  72530368      24% /";
        let blanks = "//server/my files  1000 400  600      40% /mnt/50 60 70 50% done";
        let found = Disk {
            total_bytes: 264_212_084 * 1024,
            free_bytes: 72_530_368 * 1024,
        };
        assert_eq!(parse(&format!("{head}{plain}")), Some(found));
        assert_eq!(
            parse(&format!("{head}{blanks}")),
            Some(Disk {
                total_bytes: 1_024_000,
                free_bytes: 614_400
            })
        );
        assert_eq!(parse(&format!("{head}none - - - - /proc")), None);
        assert_eq!(parse(""), None);
    }
}
