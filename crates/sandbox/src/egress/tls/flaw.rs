//! What is wrong with a server's certificate, in words for the operator. No guest may learn of it.

use std::fmt;

use tokio_rustls::rustls::{CertificateError, OtherError};

/// What is wrong with a server's certificate, for the operator's eyes; a guest learns only that
/// something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFlaw {
    /// Nobody who is trusted has signed it; perhaps the server itself has.
    Issuer,
    /// It is for other names.
    Name,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    Early,
    /// Whoever signed it has taken it back.
    Revoked,
    /// It is broken, or made in a way that is not taken.
    Unfit,
    /// Nobody at all is trusted on this machine.
    Nobody,
}

impl CertificateFlaw {
    /// What may be done about it.
    pub(crate) fn cure(self) -> &'static str {
        match self {
            Self::Issuer => {
                "if an authority of your own vouches for it, name a file with the authority's \
                 certificate: `ca_bundle` under `[egress]`, or `ca_file` of that registry"
            }
            Self::Name => "write the name by which the server is known, as its certificate has it",
            Self::Expired | Self::Early => {
                "is the clock of this machine right? else whoever keeps the server must renew it"
            }
            Self::Revoked | Self::Unfit => "whoever keeps the server must replace its certificate",
            Self::Nobody => {
                "install the system's certificate authorities, or name a bundle as `ca_bundle` \
                 under `[egress]` in the configuration"
            }
        }
    }
}

impl fmt::Display for CertificateFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => "nobody who is trusted has signed the server's certificate",
            Self::Name => "the server's certificate is for another name",
            Self::Expired => "the server's certificate has expired",
            Self::Early => "the server's certificate is not valid yet",
            Self::Revoked => "the server's certificate has been revoked",
            Self::Unfit => "the server's certificate cannot be used",
            Self::Nobody => "this machine trusts no authority that could vouch for the server",
        })
    }
}

impl From<&CertificateError> for CertificateFlaw {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Issuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::Early
            }
            CertificateError::Revoked => Self::Revoked,
            // An authority's own certificate, as whoever signs for himself often makes it.
            CertificateError::Other(OtherError(other))
                if other.to_string().contains("CaUsedAsEndEntity") =>
            {
                Self::Issuer
            }
            _ => Self::Unfit,
        }
    }
}
