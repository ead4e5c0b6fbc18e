// What Twinline uses of OpenSSL exists only as C macros in part; Swift can't see those, so each gets a function here.
#ifndef TWINLINE_OPENSSL_H
#define TWINLINE_OPENSSL_H
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline int twinline_use_tls13_only(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
}
static inline void twinline_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline void twinline_session_cache_off(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline void twinline_set_certificates_limit(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_cert_list(context, bytes);
}

static inline int twinline_chain_count(const STACK_OF(X509) *chain) { return sk_X509_num(chain); }
static inline X509 *twinline_chain_certificate(const STACK_OF(X509) *chain, int index) {
    return sk_X509_value(chain, index);
}
// What stands between a context's own certificate and the authority. It belongs to the context; NULL: nothing.
static inline STACK_OF(X509) *twinline_own_chain(SSL_CTX *context) {
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(context, &chain);
    return chain;
}

static inline void twinline_bio_empty_is_retry(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }

static inline int twinline_error_is_system(unsigned long error) { return ERR_SYSTEM_ERROR(error); }
// Such an error only says that the next one is the system's.
static inline int twinline_error_is_pointer(unsigned long error) { return ERR_GET_REASON(error) == ERR_R_SYS_LIB; }
static inline int twinline_error_reason(unsigned long error) { return ERR_GET_REASON(error); }

static inline int twinline_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
// The bytes of the name at `index` if it is a URI, else NULL. They belong to `names`.
static inline const ASN1_IA5STRING *twinline_names_uri(const GENERAL_NAMES *names, int index) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    return name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;
}
#endif
