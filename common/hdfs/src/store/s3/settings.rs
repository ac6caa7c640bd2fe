//! What `core-site.xml` says of S3: Hadoop's properties `fs.s3a.*`.

use crate::store::SiteFiles;
use object_store::aws::AmazonS3Builder;
use std::fmt;

/// A bucket, and how it is reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// `http://HOST:PORT` or `https://HOST`; `None` for Amazon's of the region.
    endpoint: Option<String>,
    region: Option<String>,
    keys: Option<Keys>,
    /// Requests are not signed.
    anonymous: bool,
    path_style: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Keys {
    access: String,
    secret: String,
    token: Option<String>,
}

/// Without its keys.
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("name", &self.name)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Bucket {
    /// The bucket `name`, as `site` has it: `fs.s3a.bucket.NAME.KEY` goes before `fs.s3a.KEY`.
    ///
    /// # Errors
    /// What is wrong or not here, in an operator's words.
    pub(crate) fn new(name: &str, site: &SiteFiles) -> Result<Bucket, String> {
        let get = |key: &str| {
            site.get(&format!("fs.s3a.bucket.{name}.{key}")).or_else(|| site.get(&format!("fs.s3a.{key}")))
        };
        if let Some(key) = NOT_READ.into_iter().find(|key| get(key).is_some()) {
            return Err(format!(
                "fs.s3a.{key} has no effect here; name the sink in `AGENT.flume.bridge` to run it in a JVM, or take it out"
            ));
        }
        let is = |key: &str| get(key).map(|value| value.eq_ignore_ascii_case("true"));
        if get("security.credential.provider.path").is_some() && get("access.key").is_none() {
            return Err("the keys of fs.s3a stand in a credential store (security.credential.provider.path), which is not \
                read; write fs.s3a.access.key and fs.s3a.secret.key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned());
        }
        let keys = match (get("access.key"), get("secret.key")) {
            (Some(access), Some(secret)) => Some(Keys {
                access: access.to_owned(),
                secret: secret.to_owned(),
                token: get("session.token").map(str::to_owned),
            }),
            (None, None) => None,
            _ => {
                return Err(
                    "fs.s3a.access.key and fs.s3a.secret.key belong together: one of them is missing"
                        .to_owned(),
                );
            }
        };
        let scheme = if is("connection.ssl.enabled") == Some(false) { "http" } else { "https" };
        let host = get("endpoint").map(|endpoint| endpoint.trim_end_matches('/'));
        let region = get("endpoint.region").or_else(|| region_of(host?)).map(str::to_owned);
        let endpoint = host.map(|host| match host.contains("://") {
            true => host.to_owned(),
            false => format!("{scheme}://{host}"),
        });
        let providers = get("aws.credentials.provider").unwrap_or_default();
        Ok(Bucket {
            name: name.to_owned(),
            endpoint,
            region,
            keys,
            anonymous: providers.contains("AnonymousAWSCredentialsProvider"),
            path_style: is("path.style.access") == Some(true),
        })
    }

    /// The same for the library. Without keys, those of the environment or of the machine's role are taken, as S3A does.
    pub(super) fn builder(&self) -> AmazonS3Builder {
        let mut builder = match &self.keys {
            Some(keys) => {
                let builder = AmazonS3Builder::new()
                    .with_access_key_id(&keys.access)
                    .with_secret_access_key(&keys.secret);
                keys.token.iter().fold(builder, |builder, token| builder.with_token(token))
            }
            None => AmazonS3Builder::from_env(),
        };
        builder = builder
            .with_bucket_name(&self.name)
            .with_virtual_hosted_style_request(!self.path_style)
            .with_skip_signature(self.anonymous)
            .with_allow_http(true);
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(self.address(endpoint)),
            None => builder,
        }
    }

    /// Unless paths have the name of the bucket, its host has.
    fn address(&self, endpoint: &str) -> String {
        match endpoint.split_once("://") {
            Some((scheme, host)) if !self.path_style => format!("{scheme}://{}.{host}", self.name),
            _ => endpoint.to_owned(),
        }
    }

    /// Whether it is reached over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.endpoint.as_deref().is_none_or(|endpoint| endpoint.starts_with("https://"))
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("Amazon S3")
    }
}

/// What would be written otherwise, or nowhere, without it.
const NOT_READ: [&str; 6] = [
    "encryption.algorithm",
    "server-side-encryption-algorithm",
    "acl.default",
    "assumed.role.arn",
    "proxy.host",
    "requester.pays.enabled",
];

/// `s3.REGION.amazonaws.com`
fn region_of(host: &str) -> Option<&str> {
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    host.strip_prefix("s3.")?.strip_suffix(".amazonaws.com").filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(pairs: &[(&str, &str)]) -> Result<Bucket, String> {
        Bucket::new("logs", &SiteFiles::of(pairs))
    }

    #[test]
    fn a_bucket_is_reached_as_hadoop_reaches_it() {
        let keys = [("fs.s3a.access.key", "a"), ("fs.s3a.secret.key", "s")];
        let with = |more: &[(&'static str, &'static str)]| bucket(&[&keys[..], more].concat()).unwrap();
        for (settings, address) in [
            (
                &[("fs.s3a.endpoint", "s3.eu-west-1.amazonaws.com")][..],
                "https://logs.s3.eu-west-1.amazonaws.com",
            ),
            (&[("fs.s3a.endpoint", "http://h:9000/"), ("fs.s3a.path.style.access", "TRUE")], "http://h:9000"),
            (
                &[
                    ("fs.s3a.endpoint", "h:9000"),
                    ("fs.s3a.connection.ssl.enabled", "false"),
                    ("fs.s3a.bucket.logs.path.style.access", "true"),
                ],
                "http://h:9000",
            ),
        ] {
            let bucket = with(settings);
            assert_eq!(
                bucket.endpoint.as_deref().map(|endpoint| bucket.address(endpoint)).as_deref(),
                Some(address)
            );
        }
        assert_eq!(
            with(&[("fs.s3a.endpoint", "s3.eu-west-1.amazonaws.com")]).region.as_deref(),
            Some("eu-west-1")
        );
        assert_eq!(with(&[("fs.s3a.endpoint.region", "x")]).region.as_deref(), Some("x"));
        assert_eq!(with(&[]).place(), "Amazon S3");
    }

    #[test]
    fn keys_are_not_shown_and_half_of_them_is_told() {
        let pairs = [("fs.s3a.access.key", "hunter1"), ("fs.s3a.secret.key", "hunter2")];
        assert!(!format!("{:?}", bucket(&pairs).unwrap()).contains("hunter"));
        assert!(bucket(&pairs[..1]).unwrap_err().contains("one of them is missing"));
        let store = [("fs.s3a.security.credential.provider.path", "jceks://file/x")];
        assert!(bucket(&store).unwrap_err().contains("credential store"));
        let kms = [("fs.s3a.bucket.logs.encryption.algorithm", "SSE-KMS")];
        assert!(bucket(&kms).unwrap_err().starts_with("fs.s3a.encryption.algorithm has no effect"));
    }
}
