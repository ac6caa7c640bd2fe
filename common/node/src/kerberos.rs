//! Logins by Kerberos by a JVM of this host: found as that for Java components, without the need of a Flume.

use crate::jvm::{self, Given};
use bridge::{KerberosJvm, KerberosLogin, KerberosWish};
use runtime::kerberos::{Answer, Exchange, Kerberos, Pending, Wish};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// What makes the tokens. It looks for a Java when the first login needs one.
pub(crate) struct JavaKerberos {
    given: Given,
    found: OnceLock<Result<KerberosJvm, String>>,
}

impl JavaKerberos {
    /// Nothing is looked at yet.
    pub(crate) fn of(given: &Given) -> Arc<dyn Kerberos> {
        Arc::new(JavaKerberos { given: given.clone(), found: OnceLock::new() })
    }

    fn jvm(&self) -> Result<&KerberosJvm, String> {
        let found = self.found.get_or_init(|| jvm::for_kerberos(&self.given));
        found.as_ref().map_err(Clone::clone)
    }
}

/// Shows no value.
impl fmt::Debug for JavaKerberos {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("JavaKerberos").finish_non_exhaustive()
    }
}

impl Kerberos for JavaKerberos {
    fn look(&self) -> Result<(), String> {
        self.jvm().map(|_| ())
    }

    fn log_in<'a>(&'a self, wish: &'a Wish) -> Pending<'a, Box<dyn Exchange>> {
        Box::pin(async move {
            let jvm = self.jvm()?;
            let wish = wish.clone();
            let wish = KerberosWish {
                file: wish.file,
                section: wish.section,
                service: wish.service,
                host: wish.host,
                address: wish.address,
                canonicalize: wish.canonicalize,
                principal: wish.principal,
                traces: wish.traces,
            };
            let login = KerberosLogin::begin(jvm, &wish).await?;
            Ok(Box::new(LoggedIn(login)) as Box<dyn Exchange>)
        })
    }
}

struct LoggedIn(KerberosLogin);

impl Exchange for LoggedIn {
    fn who(&self) -> &str {
        self.0.who()
    }

    fn answer<'a>(&'a mut self, said: &'a [u8]) -> Pending<'a, Answer> {
        Box::pin(async move {
            let (token, is_last) = self.0.answer(said).await?;
            Ok(Answer { token, is_last })
        })
    }
}
