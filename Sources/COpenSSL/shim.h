#ifndef TWINLINE_OPENSSL_H
#define TWINLINE_OPENSSL_H
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#endif
