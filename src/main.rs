//! Starts the command line.

fn main() -> std::process::ExitCode {
    legwork::surfaces::cli::main()
}
